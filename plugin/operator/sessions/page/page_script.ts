/** What runs on a thread's page: the search, the choice of calls, and links that unfold their target. */

import { createHash } from "node:crypto";

/** The script. It only reads and shows what is on the page. */
export const SCRIPT = `
"use strict";
const all = (selector, root = document) => [...root.querySelectorAll(selector)];
const search = document.getElementById("search");
const found = document.getElementById("found");
const texts = new Map(all("[data-row]").map((row) => [row, row.textContent.toLowerCase()]));
const filter = () => {
  const words = search.value.toLowerCase().split(/\\s+/).filter(Boolean);
  let shown = 0;
  for (const [row, text] of texts) {
    const fits = words.every((word) => text.includes(word));
    row.hidden = !fits;
    if (fits) shown++;
  }
  found.textContent = words.length === 0 ? "" : shown + " of " + texts.size;
};
search.addEventListener("input", filter);
const command = document.getElementById("command");
const suggested = command ? command.textContent : "";
const box = document.getElementById("chosen");
const total = document.getElementById("total");
const choose = () => {
  const chosen = all("input[data-word]:checked");
  const tokens = chosen.reduce((sum, input) => sum + Number(input.dataset.tokens), 0);
  const says = chosen.length === 0 ? "" : chosen.length + (chosen.length === 1 ? " call" : " calls") +
    " chosen, about " + tokens.toLocaleString("en") + " tokens";
  command.textContent = chosen.length === 0
    ? suggested
    : command.dataset.begin + " " + chosen.map((input) => input.dataset.word).join(" ") + " --dry-run";
  box.textContent = chosen.length === 0 ? box.dataset.none : says + ".";
  total.textContent = says;
  total.hidden = says === "";
};
if (command) for (const input of all("input[data-word]")) input.addEventListener("change", choose);
const unfold = () => {
  const target = location.hash.length > 1 && document.getElementById(location.hash.slice(1));
  if (!target) return;
  if (target.hidden) {
    search.value = "";
    filter();
    target.scrollIntoView();
  }
  if (target.tagName === "DETAILS") target.open = true;
};
addEventListener("hashchange", unfold);
// The link that was followed last changes nothing when it is followed again.
for (const link of all('a[href^="#"]')) link.addEventListener("click", () => setTimeout(unfold));
// A browser may bring back what was typed and ticked before.
addEventListener("pageshow", () => {
  filter();
  if (command) choose();
  unfold();
});
`;

/** For the page's policy: this script runs, and no other. */
export const SCRIPT_HASH = `sha256-${createHash("sha256").update(SCRIPT).digest("base64")}`;
