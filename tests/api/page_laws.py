"""Scripts that the browser runs on a page that is open: what they give is empty, or zero, where nothing is wrong."""

from typing import Final

OVERFLOW: Final = "() => document.documentElement.scrollWidth - document.documentElement.clientWidth"
"""By how many pixels a page is wider than its window."""

LAWS: Final = """() => {
  const broken = [];
  const visible = (element) => element && element.textContent.trim();
  document.querySelectorAll('table').forEach((table, at) => {
    if (!visible(table.caption)) broken.push(`table ${at} has no caption`);
    if (table.querySelector('th:not([scope])')) broken.push(`table ${at} has a heading without scope`);
  });
  document.querySelectorAll('img, canvas, [role=img]').forEach((image) => {
    if (!image.getAttribute('alt') && !image.getAttribute('aria-label')) broken.push(`no label: ${image.id}`);
  });
  document.querySelectorAll('svg').forEach((svg) => {
    if (!svg.closest('[aria-hidden=true], [role=img]')) broken.push('an svg that is neither hidden nor labelled');
  });
  document.querySelectorAll('select, input').forEach((field) => {
    if (!field.labels.length) broken.push(`field ${field.name} has no label`);
  });
  document.querySelectorAll('a, button').forEach((control) => {
    if (!visible(control)) broken.push(`${control.tagName} without a text`);
  });
  document.querySelectorAll('[role=region]').forEach((region) => {
    const name = document.getElementById(region.getAttribute('aria-labelledby'));
    if (!visible(name)) broken.push('a region without a name');
  });
  const ids = [...document.querySelectorAll('[id]')].map((element) => element.id);
  if (new Set(ids).size !== ids.length) broken.push('an id stands twice');
  if (document.querySelectorAll('h1').length !== 1) broken.push('not one h1');
  if (!document.documentElement.lang) broken.push('no language');
  return broken;
}"""
"""Basic laws of accessible pages that are broken, in words."""

CLIPPED: Final = """() => {
  const svg = document.querySelector('svg.chart-svg');
  const frame = svg.getBoundingClientRect();
  return [...svg.querySelectorAll('text')].filter((text) => {
    const box = text.getBoundingClientRect();
    return box.left < frame.left - 1 || box.right > frame.right + 1 || box.top < frame.top - 1;
  }).map((text) => text.textContent);
}"""
"""Texts of the chart that do not fit into it."""

CONTRAST: Final = """() => {
  const channel = (value) => {
    const share = value / 255;
    return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  };
  const parse = (color) => color.match(/[\\d.]+/g).map(Number);
  const light = ([r, g, b]) => 0.2126 * channel(r) + 0.7152 * channel(g) + 0.0722 * channel(b);
  const ground = (element) => {
    for (let at = element; at; at = at.parentElement) {
      const color = parse(getComputedStyle(at).backgroundColor);
      if (color.length === 3 || color[3] > 0) return color;
    }
    return [255, 255, 255];
  };
  const weak = new Set();
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const element = walker.currentNode.parentElement;
    if (!walker.currentNode.textContent.trim() || element.closest('svg, script, noscript, .hidden')) continue;
    const [a, b] = [light(parse(getComputedStyle(element).color)), light(ground(element))];
    const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    if (ratio < 4.5) weak.add(`${ratio.toFixed(1)} ${element.tagName} ${walker.currentNode.textContent.trim()}`);
  }
  return [...weak];
}"""
"""Texts whose contrast with their ground is below 4.5 to 1 (WCAG 2.2 AA)."""
