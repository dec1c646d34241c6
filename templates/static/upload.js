// Sends a large file in pieces before its form is posted: <form data-upload="/api/v1/engagements/…/data/uploads">
// with an input of type file, a hidden field `upload_id`, and <progress data-far> beside an element [data-told].
// The file's sha256 is declared first, so the same file that was begun before goes on where it stopped.
(() => {
  "use strict";
  const PIECE = 8 * 1024 * 1024;
  const TRIES = 6;

  // SHA-256 (FIPS 180-4) of a file of any length: the browser's own digest wants all of it in memory at once.
  const K = new Int32Array(64);
  const START = new Int32Array(8);
  (() => {
    const fraction = (value) => ((value - Math.floor(value)) * 0x100000000) | 0;
    for (let n = 2, found = 0; found < 64; n++) {
      let prime = true;
      for (let d = 2; d * d <= n; d++) if (n % d === 0) { prime = false; break; }
      if (!prime) continue;
      if (found < 8) START[found] = fraction(Math.sqrt(n));
      K[found++] = fraction(Math.cbrt(n));
    }
  })();

  class Sha256 {
    state = START.slice();
    words = new Int32Array(64);
    rest = new Uint8Array(0);
    length = 0;

    add(bytes) {
      this.length += bytes.length;
      const all = new Uint8Array(this.rest.length + bytes.length);
      all.set(this.rest);
      all.set(bytes, this.rest.length);
      const whole = all.length - (all.length % 64);
      const view = new DataView(all.buffer);
      for (let at = 0; at < whole; at += 64) this.block(view, at);
      this.rest = all.slice(whole);
    }

    block(view, at) {
      const w = this.words, s = this.state;
      for (let i = 0; i < 16; i++) w[i] = view.getInt32(at + 4 * i);
      for (let i = 16; i < 64; i++) {
        const x = w[i - 15], y = w[i - 2];
        const low = ((x >>> 7) | (x << 25)) ^ ((x >>> 18) | (x << 14)) ^ (x >>> 3);
        const high = ((y >>> 17) | (y << 15)) ^ ((y >>> 19) | (y << 13)) ^ (y >>> 10);
        w[i] = (w[i - 16] + low + w[i - 7] + high) | 0;
      }
      let a = s[0], b = s[1], c = s[2], d = s[3], e = s[4], f = s[5], g = s[6], h = s[7];
      for (let i = 0; i < 64; i++) {
        const mixed = ((e >>> 6) | (e << 26)) ^ ((e >>> 11) | (e << 21)) ^ ((e >>> 25) | (e << 7));
        const one = (h + mixed + ((e & f) ^ (~e & g)) + K[i] + w[i]) | 0;
        const spun = ((a >>> 2) | (a << 30)) ^ ((a >>> 13) | (a << 19)) ^ ((a >>> 22) | (a << 10));
        const two = (spun + ((a & b) ^ (a & c) ^ (b & c))) | 0;
        h = g; g = f; f = e; e = (d + one) | 0; d = c; c = b; b = a; a = (one + two) | 0;
      }
      s[0] += a; s[1] += b; s[2] += c; s[3] += d; s[4] += e; s[5] += f; s[6] += g; s[7] += h;
    }

    hex() {
      const bits = this.length * 8, left = this.rest.length;
      const end = new Uint8Array((left < 56 ? 64 : 128) - left);
      end[0] = 0x80;
      const view = new DataView(end.buffer);
      view.setUint32(end.length - 8, Math.floor(bits / 0x100000000));
      view.setUint32(end.length - 4, bits >>> 0);
      this.add(end);
      return [...this.state].map((word) => (word >>> 0).toString(16).padStart(8, "0")).join("");
    }
  }

  const fail = async (answer) => {
    const said = await answer.json().catch(() => ({}));
    const error = new Error(said.detail ? `${said.detail}. ${said.remedy || ""}` : `The server answered ${answer.status}.`);
    error.code = said.code;
    error.passes = [408, 429, 500, 502, 503, 504].includes(answer.status);
    return error;
  };

  const later = (ms) => new Promise((done) => setTimeout(done, ms));

  const send = async (form, file, told) => {
    const csrf = form.querySelector('[name="_csrf"]').value;
    const ask = async (method, address, body, headers) => {
      const answer = await fetch(address, { method, body, headers: { "X-CSRF-Token": csrf, ...headers } });
      if (!answer.ok) throw await fail(answer);
      return answer.json();
    };
    const json = { "Content-Type": "application/json" };

    const digest = new Sha256();
    for (let at = 0; at < file.size; at += PIECE) {
      digest.add(new Uint8Array(await file.slice(at, at + PIECE).arrayBuffer()));
      told("Reading the file", Math.min(at + PIECE, file.size) / file.size);
    }
    const declared = { name: file.name, size_bytes: file.size, sha256: digest.hex() };
    let upload = await ask("POST", form.dataset.upload, JSON.stringify(declared), json);
    const address = `/api/v1/uploads/${upload.id}`;
    for (let tries = 0; upload.received < file.size;) {
      const end = Math.min(upload.received + PIECE, file.size);
      try {
        upload = await ask("PUT", `${address}/content`, file.slice(upload.received, end), {
          "Content-Type": "application/octet-stream",
          "Content-Range": `bytes ${upload.received}-${end - 1}/${file.size}`,
        });
        tries = 0;
      } catch (error) {
        if (error.code && !error.passes || ++tries > TRIES) throw error;
        told("The connection was lost; trying again", upload.received / file.size);
        await later(500 * 2 ** tries);
        upload = await ask("GET", address).catch(() => upload);
      }
      told("Sending", upload.received / file.size);
    }
    told("Comparing what came with the file", 1);
    await ask("POST", `${address}/complete`, "{}", json);
    return upload.id;
  };

  document.addEventListener("submit", async (event) => {
    const form = event.target.closest("form[data-upload]");
    const file = form?.querySelector('[type="file"]')?.files[0];
    if (!form || !file || form.elements.upload_id.value) return;
    event.preventDefault();
    const bar = form.querySelector("[data-far]"), words = form.querySelector("[data-told]");
    const button = form.querySelector("button");
    const told = (what, share) => {
      bar.hidden = false;
      bar.value = share;
      words.textContent = `${what}: ${Math.floor(100 * share)}%`;
    };
    button.disabled = true;
    try {
      form.elements.upload_id.value = await send(form, file, told);
      form.submit();
    } catch (error) {
      words.textContent = `${error.message} Nothing is lost: send the same file again to go on.`;
      button.disabled = false;
    }
  });
})();
