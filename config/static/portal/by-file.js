// Binding by file: shows that a file is on its way, and lets nobody send it twice.
(() => {
    const form = document.querySelector("form.portal-by-file");
    form?.addEventListener("submit", () => {
        const bar = form.querySelector("[data-checking-bar]");
        bar.hidden = false;
        bar.querySelector("span").textContent = form.dataset.checking;
        form.querySelectorAll("button[type=submit]").forEach((button) => { button.disabled = true; });
    });
    addEventListener("pageshow", () => {
        form?.querySelectorAll("button[type=submit]").forEach((button) => { button.disabled = false; });
        form?.querySelector("[data-checking-bar]")?.setAttribute("hidden", "");
    });
})();
