// Forms of several parts from the browser's fetch, and by a form of a page.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { check } from './harness.mjs';

const sha1 = content => createHash('sha1').update(content).digest('hex');

export async function forms(page) {
  for (const size of [3, 300_000]) {
    await check(`forms fetch, a file of ${size} bytes`, async () => {
      const got = await page.evaluate(async size => {
        const form = new FormData();
        form.append('title', 'Sea\n"hill"');
        form.append('photo', new File([new Uint8Array(size).fill(13)], 'ü"b.png', { type: 'image/png' }));
        return (await fetch('/forms', { method: 'POST', body: form })).json();
      }, size);
      const photo = { name: 'photo', file: 'üb.png', type: 'image/png', length: size, sha1: sha1(Buffer.alloc(size, 13)) };
      const text = 'Sea\r\n"hill"';
      assert.deepEqual(got.parts, [{ name: 'title', file: null, type: 'text/plain', length: text.length, sha1: sha1(text) }, photo]);
      assert.equal(got.spooled, size > 65_536);
    });
  }

  await check('forms of a page, with a file that was chosen and one that was not', async () => {
    const got = await page.evaluate(async () => {
      const form = document.createElement('form');
      form.innerHTML = '<input name="a" value="b"><input type="file" name="chosen"><input type="file" name="none">';
      const chosen = new DataTransfer();
      chosen.items.add(new File(['x'], 'x.txt'));
      form.elements.chosen.files = chosen.files;
      return (await fetch('/forms', { method: 'POST', body: new FormData(form) })).json();
    });
    assert.deepEqual(got.parts.map(part => [part.name, part.file, part.length]), [['a', null, 1], ['chosen', 'x.txt', 1], ['none', null, 0]]);
  });
}
