// What Unfold's pages lack for those who use a keyboard or hear the page: icons are pictures and not words, what can be
// pressed can be reached and says what it does, and a dialog is one. Works on what Alpine and htmx add later, too.
(() => {
    const ICON = ".material-symbols-outlined";
    let opener = null;

    const words = (icon) => document.getElementById("portal-words")?.dataset[icon] || "";

    function hideIcons(root) {
        for (const icon of root.querySelectorAll(`${ICON}:not([role], [aria-label], [aria-hidden])`)) {
            icon.setAttribute("aria-hidden", "true");
        }
    }

    function name(control) {
        if (control.hasAttribute("aria-label") || control.hasAttribute("title")) return;
        const shown = control.cloneNode(true);
        const icons = control.matches(ICON) ? [control] : [...control.querySelectorAll(ICON)];
        if (control.matches(ICON)) shown.textContent = "";
        shown.querySelectorAll(ICON).forEach((icon) => icon.remove());
        if (shown.textContent.trim() || shown.querySelector("[aria-label], img[alt]")) return;
        const label = icons.map((icon) => words(icon.textContent.trim())).find(Boolean);
        if (label) control.setAttribute("aria-label", label);
    }

    function pressable(control) {
        if (control.matches("a[href], button, input, select, textarea, label, [x-bind\\:class^=sidebar]")) return;
        if (control.querySelector("a[href], button, input")) return;
        control.setAttribute("role", "button");
        control.setAttribute("tabindex", "0");
        control.removeAttribute("aria-hidden");
        control.addEventListener("keydown", (event) => {
            if (event.key !== "Enter" && event.key !== " ") return;
            event.preventDefault();
            control.click();
        });
    }

    // The field that select2 puts in place of a select is called what the select is called.
    function nameSelect2(shown) {
        // Of several choices: the button that clears them stands among the list's items, so it is no list.
        shown.querySelector("ul.select2-selection__rendered")?.setAttribute("role", "presentation");
        const id = shown.closest(".select2-container")?.previousElementSibling?.id; // it stands right behind its select
        const words = id && document.querySelector(`label[for="${id}"]`)?.textContent.replace("*", "").trim();
        if (!words) return;
        for (const part of [shown, ...shown.querySelectorAll("[role=textbox], textarea, input")]) {
            part.setAttribute("aria-label", words);
        }
    }

    function mend(root) {
        root.querySelectorAll("[x-on\\:click]:not([role])").forEach(pressable);
        root.querySelectorAll("a, button, [role=button]").forEach(name);
        root.querySelectorAll(".select2-selection").forEach(nameSelect2);
        hideIcons(root);
    }

    function asDialog(content) {
        const heading = content.querySelector("h1");
        content.setAttribute("role", "dialog");
        content.setAttribute("aria-modal", "true");
        if (heading) content.setAttribute("aria-label", heading.textContent.trim());
        const first = content.querySelector("form :is(input:not([type=hidden]), textarea, select, button[type=submit])");
        setTimeout(() => first?.focus(), 50); // Alpine shows the dialog behind this event
    }

    function keepInside(event) {
        const content = document.getElementById("modal-content");
        if (event.key !== "Tab" || !content?.offsetParent) return;
        const stops = [...content.querySelectorAll("a[href], button, input:not([type=hidden]), textarea, select, [tabindex='0']")];
        const [first, last] = [stops[0], stops[stops.length - 1]];
        const leaves = event.shiftKey ? document.activeElement === first : document.activeElement === last;
        if (stops.length && (leaves || !content.contains(document.activeElement))) {
            event.preventDefault();
            (event.shiftKey ? last : first).focus();
        }
    }

    document.addEventListener("DOMContentLoaded", () => mend(document));
    new MutationObserver((changes) => {
        const added = changes.flatMap((change) => [...change.addedNodes]);
        if (added.some((node) => node.classList?.contains("select2"))) {
            document.querySelectorAll(".select2-selection").forEach(nameSelect2);
        }
    }).observe(document.documentElement, {childList: true, subtree: true});
    document.addEventListener("alpine:initialized", () => mend(document));
    document.addEventListener("htmx:afterSettle", (event) => {
        mend(document);
        if (event.target.id === "modal-content") {
            opener = document.activeElement;
            asDialog(event.target);
        }
    });
    document.addEventListener("keydown", keepInside);
    document.addEventListener("keyup", (event) => {
        if (event.key === "Escape" && opener?.isConnected) opener.focus();
    });
})();
