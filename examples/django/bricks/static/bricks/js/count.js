// A classic script of a form's Media.
document.addEventListener("DOMContentLoaded", function () {
  document.querySelectorAll(".count").forEach(function (field) {
    var button = document.createElement("button");
    button.type = "button";
    button.textContent = "+ pallet";
    button.addEventListener("click", function () {
      field.value = Number(field.value) + 480;
    });
    field.after(button);
  });
});
