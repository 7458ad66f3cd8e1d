/* Hides the books whose title has not what is being typed. */
lantern.on("filter", "input", function (event) {
  var wanted = event.target.value.toLowerCase();
  lantern.all(".spine").forEach(function (spine) {
    var title = spine.querySelector("a").textContent.toLowerCase();
    spine.hidden = title.indexOf(wanted) < 0;
  });
});
