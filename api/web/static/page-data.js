// What the server put into the page for scripts: texts, and figures that also stand in its tables.

export function readPageData() {
  return JSON.parse(document.getElementById("page-data").textContent);
}

export function fill(text, values) {
  return text.replace(/\{(\w+)\}/g, (_, key) => values[key]);
}
