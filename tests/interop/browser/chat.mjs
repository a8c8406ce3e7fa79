// The chat section, with two pages in one room.
import assert from 'node:assert/strict';
import { run, check, data, logged } from './harness.mjs';

export async function chat(one, two, open) {
  const room = `lab-${run}`;
  const said = (page, contains, act) => logged(page, 'chat-talk', '[data-kind=chat]', act, contains);
  const heard = (page, command, act, contains) => logged(page, 'chat-log', `[data-way=down][data-command=${command}]`, act, contains);
  const payload = line => JSON.parse(line.text.slice(line.text.indexOf('{'), line.text.lastIndexOf('}') + 1)).payload;
  const sizes = async page => payload(await heard(page, 'stats', () => page.click('#chat-stats'))).data;
  const RFC_3339 = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/;

  await check('chat welcomes first of all', async () => {
    await one.click('#chat-toggle');
    await one.waitForSelector('#chat-state[data-state=open]');
    await one.waitForSelector('#chat-log > :first-child[data-way=down][data-command=welcome]');
    const line = { text: await one.locator('#chat-log > :first-child').textContent() };
    assert.equal(payload(line).message, 'Connected to WebSocket server');
    assert.match(payload(line).timestamp, RFC_3339);
  });
  await check('chat tells the others who joins', async () => {
    await one.fill('#chat-room', room);
    await one.click('#chat-join');
    await one.waitForSelector(`#chat-rooms button:text-is("${room}")`);
    await sizes(one);
    const line = await heard(one, 'user_joined', async () => {
      await two.fill('#chat-room', room);
      await two.click('#chat-join');
    });
    assert.equal(payload(line).room, room);
    await one.waitForSelector('#chat-talk [data-kind=user_joined]');
  });
  await check('chat reaches both pages in the room', async () => {
    for (const [from, to, message] of [[one, two, 'Is the wire bare?'], [two, one, 'Down to the copper ⚡']]) {
      await said(to, message, () => said(from, message, async () => {
        await from.fill('#chat-message', message);
        await from.click('#chat-send');
      }));
    }
    const line = one.locator('#chat-log > [data-way=down][data-kind=chat]').last();
    const received = payload({ text: await line.textContent() });
    assert.match(received.timestamp, RFC_3339);
    assert.ok(String(received.sender).length > 0);
    assert.equal(received.room, room);
  });
  await check('chat says why an empty message is not sent', async () => {
    const before = await one.locator('#chat-talk [data-kind=chat]').count();
    await one.fill('#chat-message', '');
    const line = await logged(one, 'chat-talk', '[data-kind=empty]', () => one.click('#chat-send'));
    assert.equal(line.text, 'Nothing was sent: the message is empty.');
    await heard(one, 'pong', () => one.click('#chat-ping'));
    assert.equal(await one.locator('#chat-talk [data-kind=chat]').count(), before);
  });
  await check('chat answers ping with pong and a time', async () => {
    const line = await heard(one, 'pong', () => one.click('#chat-ping'));
    assert.match(payload(line).timestamp, RFC_3339);
  });
  await check('chat counts clients and rooms', async () => {
    const stats = await sizes(one);
    assert.ok(stats.total_clients >= 2);
    assert.ok(stats.total_rooms >= 1);
    assert.equal(stats.rooms[room], 2);
  });
  await check('chat answers broken JSON and stays', async () => {
    const line = await logged(one, 'chat-log', '[data-way=down][data-kind=error]', () => one.click('#chat-invalid'));
    assert.equal(payload(line).message, 'Invalid JSON format');
    await heard(one, 'pong', () => one.click('#chat-ping'));
    assert.equal(await data(one, 'chat-state', 'state'), 'open');
  });
  await check('chat tells the others who leaves', async () => {
    const line = await heard(one, 'user_left', () => two.click('#chat-leave'));
    assert.equal(payload(line).room, room);
    assert.equal((await sizes(one)).rooms[room], 1);
  });
  await check('chat keeps messages from those outside the room', async () => {
    await said(one, 'Only for members', async () => {
      await one.fill('#chat-message', 'Only for members');
      await one.click('#chat-send');
    });
    await heard(two, 'pong', () => two.click('#chat-ping'));
    assert.equal(await two.locator('#chat-talk', { hasText: 'Only for members' }).count(), 0);
  });
  await check('chat tells the others when a client just goes', async () => {
    const third = await open('third');
    await heard(one, 'user_joined', async () => {
      await third.fill('#chat-room', room);
      await third.click('#chat-join');
    });
    await heard(one, 'user_left', () => third.context().close());
    assert.equal((await sizes(one)).rooms[room], 1);
  });
  await check('chat frees an empty room', async () => {
    await one.click('#chat-leave');
    assert.equal((await sizes(one)).rooms[room], undefined);
  });
  await check('chat joins by itself when a message is sent', async () => {
    const open = `open-${run}`;
    await said(one, 'Who is here?', async () => {
      await one.fill('#chat-room', open);
      await one.fill('#chat-message', 'Who is here?');
      await one.click('#chat-send');
    });
    await one.waitForSelector(`#chat-rooms button:text-is("${open}")`);
    await one.click('#chat-leave');
  });
  // For the screenshot.
  for (const page of [one, two]) {
    await page.fill('#chat-room', 'general');
    await page.click('#chat-join');
    await heard(page, 'pong', () => page.click('#chat-ping'));
  }
  const talk = [[one, 'Is the wire bare?'], [two, 'Down to the copper.'], [one, 'And on one port?'], [two, 'All five of them.']];
  for (const [from, message] of talk) {
    await said(one, message, async () => {
      await from.fill('#chat-message', message);
      await from.click('#chat-send');
    });
  }
  await one.fill('#chat-message', 'Show me the bytes');
}
