document.querySelectorAll("input[data-filters]").forEach(function (box) {
  var label = box.parentNode, status = label.querySelector("[role=status]");
  var lists = box.dataset.filters.split(" ").map(function (id) { return document.getElementById(id); });
  var items = lists.map(function (list) { return Array.from(list.tBodies ? list.tBodies[0].rows : list.children); });
  var most = items.reduce(function (one, other) { return other.length > one.length ? other : one; });
  label.hidden = most.length < 8;
  box.addEventListener("input", function () {
    var wanted = box.value.trim().toLowerCase();
    items.flat().forEach(function (item) {
      item.hidden = wanted !== "" && !item.textContent.toLowerCase().includes(wanted);
    });
    var left = most.filter(function (item) { return !item.hidden; }).length;
    status.textContent = wanted ? left + " of " + most.length : "";
  });
});
addEventListener("beforeprint", function () {
  document.querySelectorAll("details:not([open])").forEach(function (part) { part.open = part.dataset.opened = true; });
});
addEventListener("afterprint", function () {
  document.querySelectorAll("details[data-opened]").forEach(function (part) { part.open = false; delete part.dataset.opened; });
});
