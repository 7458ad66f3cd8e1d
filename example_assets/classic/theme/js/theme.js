document.addEventListener("DOMContentLoaded", function () {
  document.title = Kiln.heat(1100).temperature + " degrees";
});
