// What pages do without inline scripts and styles (config/browsers.py): htmx neither brings a style sheet of its own nor
// runs what an answer holds, and a choice that is a whole form sends itself.
"use strict";
Object.assign(htmx.config, {
  includeIndicatorStyles: false,
  allowEval: false,
  allowScriptTags: false,
  selfRequestsOnly: true,
});
document.addEventListener("change", (event) => {
  if (event.target.matches("[data-sends-form]")) event.target.form.requestSubmit();
});
