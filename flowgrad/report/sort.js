"use strict";
for (const table of document.querySelectorAll("table.sortable")) {
  const body = table.tBodies[0];
  const number = (cell) => (cell.dataset.key === undefined ? NaN : parseFloat(cell.dataset.key));
  const compare = (a, b) => {
    const x = number(a), y = number(b);
    if (a.dataset.key === undefined) return a.textContent.trim().localeCompare(b.textContent.trim(), "en", { numeric: true });
    if (isNaN(x) || isNaN(y)) return isNaN(x) - isNaN(y);
    return x - y;
  };
  [...table.tHead.rows[0].cells].forEach((heading, column) => {
    const button = document.createElement("button");
    button.type = "button";
    button.append(...heading.childNodes);
    heading.append(button);
    button.addEventListener("click", () => {
      const down = heading.getAttribute("aria-sort") === "ascending";
      for (const other of table.tHead.rows[0].cells) other.removeAttribute("aria-sort");
      heading.setAttribute("aria-sort", down ? "descending" : "ascending");
      const rows = [...body.rows];
      const missing = (row) => row.cells[column].dataset.key === "";
      rows.sort((a, b) => missing(a) - missing(b) || (down ? -1 : 1) * compare(a.cells[column], b.cells[column]));
      body.append(...rows);
    });
  });
}
