function sortRows(table, column) {
  var rows = Array.prototype.slice.call(table.rows, 1);
  rows.sort(function (a, b) {
    return a.cells[column].textContent.localeCompare(b.cells[column].textContent);
  });
  rows.forEach(function (row) {
    row.parentNode.appendChild(row);
  });
}
