// The WebSocket echo section: text, binary at the edges of the length forms, a burst.
import assert from 'node:assert/strict';
import { check, text, data, logged } from './harness.mjs';

export async function echo(page) {
  const sendText = async message => {
    await page.fill('#echo-text', message);
    return logged(page, 'echo-log', '[data-way=down][data-kind=text]', () => page.click('#echo-send-text'));
  };
  const sendBinary = async size => {
    await page.fill('#echo-size', String(size));
    return logged(page, 'echo-log', '[data-way=down][data-kind=binary]', () => page.click('#echo-send-binary'));
  };
  await check('echo connects and disconnects', async () => {
    await page.click('#echo-toggle');
    await page.waitForSelector('#echo-state[data-state=open]');
    await page.click('#echo-toggle');
    await page.waitForSelector('#echo-state[data-state=closed]');
    assert.match(await text(page, 'echo-state'), /^closed 1000/);
  });
  await check('echo connects by itself and returns text', async () => {
    const line = await sendText('Zażółć gęślą jaźń 🪢');
    assert.equal(line.data.match, 'yes');
    assert.match(line.text, /Zażółć gęślą jaźń 🪢/);
    assert.match(line.text, /\d ms/);
    assert.equal(await data(page, 'echo-state', 'state'), 'open');
  });
  await check('echo returns an empty text', async () => {
    assert.equal((await sendText('')).data.match, 'yes');
  });
  for (const size of [0, 1, 125, 126, 65535, 65536, 1 << 20]) {
    await check(`echo returns ${size} binary bytes`, async () => {
      assert.equal((await sendBinary(size)).data.match, 'yes');
    });
  }
  await check('echo returns a burst of 1,000 in order', async () => {
    const line = await logged(page, 'echo-log', '[data-kind=burst]', () => page.click('#echo-burst'));
    assert.equal(line.data.match, 'yes');
  });
  await check('echo compresses, both ways', async () => {
    const seen = await page.evaluate(
      () =>
        new Promise((resolve, reject) => {
          const socket = new WebSocket(new URL('/ws/echo', location.href).href.replace(/^http/, 'ws'));
          const sent = Array.from({ length: 50 }, (_, n) => JSON.stringify({ n, items: Array(n * 20).fill('text') }));
          const back = [];
          socket.onerror = () => reject(new Error('the socket failed'));
          socket.onopen = () => sent.forEach(message => socket.send(message));
          socket.onmessage = ({ data }) => {
            if (back.push(data) < sent.length) return;
            resolve({ extensions: socket.extensions, match: back.every((one, n) => one === sent[n]) });
            socket.close();
          };
        }),
    );
    assert.match(seen.extensions, /^permessage-deflate/);
    assert.equal(seen.match, true);
  });
  // For the screenshot.
  await sendText('Zażółć gęślą jaźń 🪢');
  await sendBinary(4096);
}
