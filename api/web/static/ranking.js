// Sorting of the ranking table in the page. Without this script the table stands in the order of ranks.

import { fill, readPageData } from "./page-data.js";

const ASCENDING_FIRST = new Set([0, 1]); // rank and city; scores begin with the highest

function makeSortable(table, texts) {
  const headings = [...table.tHead.rows[0].cells];
  headings.forEach((heading, column) => {
    const button = document.createElement("button");
    button.type = "button";
    button.title = fill(texts.sort, { column: heading.textContent });
    button.append(...heading.childNodes);
    button.addEventListener("click", () => sortBy(table, headings, column));
    heading.append(button);
  });
}

function sortBy(table, headings, column) {
  const before = headings[column].getAttribute("aria-sort");
  const first = ASCENDING_FIRST.has(column) ? "ascending" : "descending";
  const other = first === "ascending" ? "descending" : "ascending";
  const order = before === first ? other : first;
  headings.forEach((heading) => heading.removeAttribute("aria-sort"));
  headings[column].setAttribute("aria-sort", order);
  const body = table.tBodies[0];
  body.append(...[...body.rows].sort((a, b) => compare(a.cells[column], b.cells[column], order)));
}

function compare(a, b, order) {
  const sign = order === "ascending" ? 1 : -1;
  if (a.dataset.sort === undefined) {
    return sign * a.textContent.localeCompare(b.textContent, document.documentElement.lang);
  }
  if (a.dataset.sort === "" || b.dataset.sort === "") {
    return (a.dataset.sort === "") - (b.dataset.sort === ""); // missing last, either way
  }
  return sign * (Number(a.dataset.sort) - Number(b.dataset.sort));
}

const { texts } = readPageData();
document.querySelectorAll("table[data-sortable]").forEach((table) => makeSortable(table, texts));
