// A coupon's page: copy its code, also where the browser has no clipboard for pages without https; print its card.
"use strict";

function copied(button) {
    const words = button.querySelector("[data-words]");
    const before = words.textContent;
    words.textContent = button.dataset.done;
    setTimeout(() => { words.textContent = before; }, 2000);
}

function copyBySelection(text) {
    const field = document.createElement("textarea");
    field.value = text;
    field.style.position = "fixed";
    field.style.opacity = "0";
    document.body.append(field);
    field.select();
    document.execCommand("copy");
    field.remove();
}

document.addEventListener("click", async (event) => {
    const button = event.target.closest("[data-copy], [data-print]");
    if (button === null) return;
    if (button.dataset.print !== undefined) {
        window.print();
        return;
    }
    try {
        await navigator.clipboard.writeText(button.dataset.copy);
    } catch {
        copyBySelection(button.dataset.copy);
    }
    copied(button);
});
