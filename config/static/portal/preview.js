// The card beside a template's form (coupons/admin/previewing.py): drawn anew a moment after each change.
"use strict";
document.addEventListener("DOMContentLoaded", () => {
  const aside = document.querySelector("[data-portal-preview]");
  const form = document.getElementById("coupontemplate_form");
  if (!aside || !form) return;
  const place = aside.querySelector("[data-preview]");
  const failed = aside.querySelector("[data-preview-failed]");
  let timer, running, last;

  const draw = async () => {
    running?.abort();
    const mine = (running = new AbortController());
    try {
      const answer = await fetch(aside.dataset.portalPreview, {
        method: "POST", body: new FormData(form), signal: mine.signal,
      });
      if (!answer.ok || answer.redirected) throw new Error(answer.status);
      const html = await answer.text();
      failed.hidden = true;
      if (html !== last) place.innerHTML = last = html; // the same is not read out again
    } catch (error) {
      if (error.name !== "AbortError") failed.hidden = false;
    }
  };
  const soon = () => {
    clearTimeout(timer);
    timer = setTimeout(draw, 400);
  };
  form.addEventListener("input", soon);
  form.addEventListener("change", soon);
  // Select2 and the calendar tell jQuery, or nobody.
  django.jQuery(form).on("change", "select", soon);
  form.addEventListener("click", (event) => { if (event.target.closest("a, button")) soon(); });
  document.addEventListener("click", (event) => { if (event.target.closest(".calendarbox")) soon(); });
  draw();
});
