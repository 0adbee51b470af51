// Keeps the JSON of a push in step with its fields; the JSON itself stays editable and is what is sent.
"use strict";

for (const form of document.querySelectorAll("[data-push]")) {
  const body = form.querySelector("[data-body]");
  const message = form.querySelector("[data-message]");

  const read = () => {
    try {
      return JSON.parse(body.value);
    } catch {
      return null;
    }
  };

  const warn = () => {
    message.textContent = body.dataset.bad;
    message.hidden = read() !== null;
  };

  for (const field of form.querySelectorAll("[data-field]")) {
    field.addEventListener("input", () => {
      const data = read();
      if (data === null) {
        return;
      }
      data[field.dataset.field] = valueOf(field);
      body.value = JSON.stringify(data, null, 2);
    });
  }

  body.addEventListener("input", () => {
    warn();
    const data = read();
    for (const field of form.querySelectorAll("[data-field]")) {
      if (data !== null && field.dataset.field in data) {
        field.value = data[field.dataset.field];
      }
    }
  });
}

function valueOf(field) {
  const isNumber = field.dataset.kind === "number" || field.dataset.kind === "choice";
  const number = Number(field.value);
  return isNumber && field.value.trim() !== "" && Number.isFinite(number) ? number : field.value;
}
