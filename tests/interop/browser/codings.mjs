// Content codings, each as the only one that the browser names: fetch and EventSource.
import assert from 'node:assert/strict';
import { check, openPage, run, until } from './harness.mjs';

const CODINGS = ['gzip', 'br', 'zstd'];

export async function codings(browser, base) {
  const page = await openPage(browser, base, 'codings');
  const session = await page.context().newCDPSession(page);
  await session.send('Network.enable');
  const plain = await (await fetch(base + '/items', { headers: { 'accept-encoding': 'identity' } })).text();
  const get = path => page.evaluate(async path => {
    const reply = await fetch(path, { cache: 'no-store' });
    return [reply.headers.get('content-encoding'), await reply.text()];
  }, path);

  for (const coding of CODINGS) {
    await page.setExtraHTTPHeaders({ 'accept-encoding': coding });
    await check(`codings fetch decodes ${coding}`, async () => {
      assert.deepEqual(await get('/items'), [coding, plain]);
    });
    await check(`codings fetch sees lines in ${coding} one by one`, async () => {
      // The reply has no end: what is seen was not held back until then.
      const seen = await page.evaluate(async () => {
        const stop = new AbortController();
        const reply = await fetch('/lines', { cache: 'no-store', signal: stop.signal });
        const reader = reply.body.pipeThrough(new TextDecoderStream()).getReader();
        let text = '';
        while (text.split('\n').length < 4) text += (await reader.read()).value;
        stop.abort();
        return [reply.headers.get('content-encoding'), text.split('\n').slice(0, 3).map(line => JSON.parse(line).id)];
      });
      assert.deepEqual(seen, [coding, [1, 2, 3]]);
    });
    await check(`codings EventSource sees each event in ${coding} before the next one is sent`, async () => {
      const id = `codings-${coding}-${run}`;
      let used;
      const note = ({ response }) => {
        if (response.url.includes(id)) used = response.headers['content-encoding'] ?? response.headers['Content-Encoding'];
      };
      session.on('Network.responseReceived', note);
      await page.evaluate(id => {
        globalThis.codingsSeen = [];
        globalThis.codingsSource = new EventSource(`/api/events?client_id=${id}`);
        for (const type of ['connected', 'news']) codingsSource.addEventListener(type, event => codingsSeen.push(JSON.parse(event.data)));
      }, id);
      const seen = () => page.evaluate(() => globalThis.codingsSeen);
      await until('the first event', async () => (await seen()).length === 1);
      for (let n = 0; n < 5; n += 1) {
        const data = { n, text: 'the same words in each of them' };
        const body = JSON.stringify({ event: 'news', data, target_clients: [id] });
        const reply = await fetch(base + '/api/broadcast', { method: 'POST', headers: { 'content-type': 'application/json' }, body });
        assert.deepEqual(await reply.json(), { status: 'sent', clients: 1 });
        await until(`event ${n}`, async () => (await seen()).length === n + 2);
        assert.deepEqual((await seen()).at(-1), data);
      }
      await until('its head', () => used !== undefined);
      assert.equal(used, coding);
      await page.evaluate(() => codingsSource.close());
      session.off('Network.responseReceived', note);
    });
  }
  await page.setExtraHTTPHeaders({});
  await check('codings the browser unasked takes zstd', async () => {
    assert.deepEqual(await get('/items'), ['zstd', plain]);
  });
  await page.context().close();
}
