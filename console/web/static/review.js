// One key decides. Without this file the buttons do.
"use strict";
const form = document.querySelector("[data-review]");
if (form) {
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const typing = event.target.closest("input, textarea, select");
    if (typing) {
      if (event.key === "Escape") typing.blur();
      else if (event.key === "Enter") event.preventDefault(); // a note alone decides nothing
      return;
    }
    const meant = form.querySelector(`[data-key="${CSS.escape(event.key)}"]`);
    if (!meant || event.repeat) return;
    event.preventDefault();
    if (meant.matches("input")) meant.focus();
    else meant.click();
  });
}
