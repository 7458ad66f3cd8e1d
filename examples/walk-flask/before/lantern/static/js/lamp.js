/* Lights the lamp, and remembers it. */
lantern.light = function (isLit) {
  document.body.classList.toggle("lit", isLit);
  document.getElementById("lamp").setAttribute("aria-pressed", String(isLit));
  localStorage.setItem("lit", isLit ? "yes" : "");
};
lantern.on("lamp", "click", function () {
  lantern.light(!document.body.classList.contains("lit"));
});
lantern.light(localStorage.getItem("lit") === "yes");
document.documentElement.dataset.ready = "yes";
