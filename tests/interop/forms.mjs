// Forms of several parts from undici.
//
// usage: node forms.mjs http://HOST:PORT
import { createHash } from "node:crypto";
import { File, FormData, fetch } from "undici";
import { check, equal, finish } from "./checks.mjs";

const url = process.argv[2].replace(/\/$/, "") + "/forms";
const part = (name, content, file = null, type = "text/plain") => ({
  name, file, type, length: content.length, sha1: createHash("sha1").update(content).digest("hex"),
});

for (const [size, content] of [["small", Buffer.from("\r\n--\0")], ["large", Buffer.alloc(1_000_003, "\r\n--x")]]) {
  await check(`forms undici, a ${size} file`, async () => {
    const form = new FormData();
    form.append('ti"t\nle', "Sea");
    form.append("photo", new File([content], 'C:\\d\\ü"b.png', { type: "image/png" }));
    form.append("empty", new File([], ""));
    const got = await (await fetch(url, { method: "POST", body: form })).json();
    const empty = part("empty", Buffer.alloc(0), null, "application/octet-stream");
    const title = part('ti"t\r\nle', Buffer.from("Sea"));
    const photo = part("photo", content, "üb.png", "image/png");
    // Written to disk, files stand behind the rest; undici leaves an empty file name out.
    equal(got.parts, size === "large" ? [title, empty, photo] : [title, photo, empty]);
  });
}

await check("forms undici, a form of nothing", async () => {
  const got = await (await fetch(url, { method: "POST", body: new FormData() })).json();
  equal(got.parts, []);
});

finish();
