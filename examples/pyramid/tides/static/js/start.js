var ships = document.getElementById("ships");
Array.prototype.forEach.call(ships.rows[0].cells, function (cell, column) {
  cell.addEventListener("click", function () {
    sortRows(ships, column);
  });
});
document.documentElement.dataset.ready = "true";
