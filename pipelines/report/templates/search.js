document.querySelectorAll("input[data-filters]").forEach(function (box) {
  var label = box.parentNode, table = document.getElementById(box.dataset.filters);
  var rows = Array.from(table.tBodies[0].rows), status = label.querySelector("[role=status]");
  label.hidden = rows.length < 8;
  box.addEventListener("input", function () {
    var wanted = box.value.trim().toLowerCase(), left = 0;
    rows.forEach(function (row) {
      row.hidden = wanted !== "" && !row.textContent.toLowerCase().includes(wanted);
      left += row.hidden ? 0 : 1;
    });
    status.textContent = wanted ? left + " of " + rows.length : "";
  });
});
addEventListener("beforeprint", function () {
  document.querySelectorAll("details:not([open])").forEach(function (part) { part.open = part.dataset.opened = true; });
});
addEventListener("afterprint", function () {
  document.querySelectorAll("details[data-opened]").forEach(function (part) { part.open = false; delete part.dataset.opened; });
});
