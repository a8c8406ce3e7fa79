// Pages of other origins: no WebSocket, and nothing that changes something.
import assert from 'node:assert/strict';
import { PATIENCE, check, until } from './harness.mjs';

export async function origins(browser, base) {
  const { protocol, port } = new URL(base);
  const own = `127.0.0.1:${port}`;
  const context = await browser.newContext();
  const page = await context.newPage();
  page.setDefaultTimeout(PATIENCE);
  const said = [];
  page.on('console', message => said.push(message.text()));
  // The same server under another name is another origin.
  const visit = host => page.goto(`${protocol}//${host}:${port}/plaintext`);
  const open = where => where.evaluate(url => new Promise(done => {
    const socket = new WebSocket(url);
    socket.onopen = () => { done('open'); socket.close(); };
    socket.onclose = event => done(`closed with ${event.code}`);
  }), `${protocol.replace('http', 'ws')}//${own}/ws/chat`);
  const post = where => where.evaluate(async url => (await fetch(url, { method: 'POST', body: 'x' })).status, `${protocol}//${own}/echo`);
  const refusals = () => said.filter(text => /ws\/chat.*403/.test(text)).length;

  await check('origins: a page of the same origin opens a WebSocket and posts', async () => {
    await visit('127.0.0.1');
    assert.equal(await open(page), 'open');
    assert.equal(await post(page), 200);
    assert.equal(refusals(), 0);
  });
  await check('origins: a page of another origin gets 403', async () => {
    await visit('localhost');
    assert.equal(await open(page), 'closed with 1006');
    await until('403 to the handshake', () => refusals() === 1);
    assert.equal(await post(page), 403);
  });
  await check('origins: a sandboxed frame, whose origin is null, gets 403', async () => {
    await visit('127.0.0.1');
    await page.evaluate(() => {
      const frame = document.createElement('iframe');
      frame.sandbox = 'allow-scripts';
      frame.srcdoc = '<p>nobody</p>';
      document.body.append(frame);
    });
    const frame = await until('the frame', () => page.frames().find(it => it !== page.mainFrame() && it.url() === 'about:srcdoc'));
    assert.equal(await open(frame), 'closed with 1006');
    await until('403 to the handshake', () => refusals() === 2);
    assert.equal(await post(frame), 403);
  });
  await context.close();
}
