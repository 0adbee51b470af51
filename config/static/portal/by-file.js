// Binding by file: shows that a file is being checked; then posts its sealed slices one after another, with a bar that
// moves, and says what came of it. A slice that meets a busy database or no answer is sent again: twice is harmless.
(() => {
    const TRIES = 5;
    const texts = (words, facts) => words.replace(/\{(\w+)\}/g, (all, name) => facts[name] ?? all);
    const wait = (milliseconds) => new Promise((done) => setTimeout(done, milliseconds));

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

    const page = document.getElementById("by-file");
    if (!page) return;
    const part = (name) => document.getElementById(`by-file-${name}`);
    const read = (name) => JSON.parse(part(name).textContent);
    const { address, equal, parts } = read("slices");
    const refused = read("rows");
    const all = parts.reduce((sum, one) => sum + one.rows, 0);
    const sums = { created: 0, changed: 0, equal, released: 0 };
    let next = 0;
    let done = 0;

    async function post(sealed) {
        const token = page.querySelector("[name=csrfmiddlewaretoken]").value;
        let why = part("result").querySelector("[data-kind=broken]").dataset.network;
        for (let tries = 0; tries < TRIES; tries += 1) {
            if (tries) await wait(300 * 2 ** tries);
            try {
                const body = new URLSearchParams({ slice: sealed });
                const answer = await fetch(address, { method: "POST", body, headers: { "X-CSRFToken": token } });
                if (answer.ok) return await answer.json();
                const kind = answer.headers.get("content-type") || "";
                if (kind.includes("json")) why = (await answer.json()).error;
                if (answer.status < 500 && answer.status !== 409) break;
            } catch { /* the network; again */ }
        }
        throw new Error(why);
    }

    function show() {
        const bar = part("progress").querySelector("progress");
        const words = part("progress").querySelector("span");
        bar.value = done;
        words.textContent = texts(words.dataset.words, { done: done.toLocaleString(), all: all.toLocaleString() });
    }

    function addRefused(rows) {
        refused.push(...rows);
        part("bad").hidden = part("bad").hidden && !rows.length;
        const body = part("bad").querySelector("tbody");
        for (const row of rows.slice(0, Math.max(0, 200 - body.rows.length))) {
            const line = body.insertRow();
            row.forEach((cell) => { line.insertCell().textContent = cell; });
        }
    }

    async function run() {
        const result = part("result");
        const broken = result.querySelector("[data-kind=broken]");
        const told = result.querySelector("[data-kind=done]");
        part("ask").hidden = true;
        part("progress").hidden = false;
        result.hidden = true;
        document.querySelectorAll("[data-plan]").forEach((section) => { section.hidden = true; });
        addEventListener("beforeunload", stay);
        show();
        let why = "";
        try {
            for (; next < parts.length; next += 1) {
                const answer = await post(parts[next].sealed);
                Object.keys(sums).forEach((name) => { sums[name] += answer[name]; });
                addRefused(answer.refused);
                done += parts[next].rows;
                show();
            }
        } catch (error) {
            why = error.message;
        }
        removeEventListener("beforeunload", stay);
        const numbers = { ...sums, refused: refused.length };
        Object.keys(numbers).forEach((name) => { numbers[name] = numbers[name].toLocaleString(); });
        told.textContent = texts(told.dataset.words, numbers);
        broken.hidden = !why;
        broken.textContent = texts(broken.dataset.words, { done: done.toLocaleString(), all: all.toLocaleString(), why });
        part("again").hidden = !why;
        part("progress").hidden = true;
        result.hidden = false;
    }

    function stay(event) { event.preventDefault(); }

    // A cell that a spreadsheet would take for a formula gets an apostrophe in front.
    const cell = (value) => {
        const text = /^[=+\-@\t\r]/.test(String(value)) ? `'${value}` : String(value);
        return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
    };
    part("download").addEventListener("click", (event) => {
        const heads = [...part("bad").querySelectorAll("th")].map((head) => head.textContent);
        const lines = [heads, ...refused].map((row) => row.map(cell).join(","));
        const link = event.currentTarget;
        link.href = URL.createObjectURL(new Blob([`\ufeff${lines.join("\r\n")}\r\n`], { type: "text/csv" }));
        setTimeout(() => URL.revokeObjectURL(link.href), 60000);
    });
    part("go")?.addEventListener("click", run);
    part("again").addEventListener("click", run);
})();
