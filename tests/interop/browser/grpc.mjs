// The gRPC-Web section: every method and error, in both encodings.
import assert from 'node:assert/strict';
import { run, check, text, data, counted } from './harness.mjs';

export async function grpc(page) {
  const fill = async fields => {
    for (const [name, value] of Object.entries(fields)) await page.fill(`#grpc-${name}`, String(value));
  };
  const call = async (method, fields = {}) => {
    await fill(fields);
    await counted(page, 'grpc-result', () => page.click(`[data-grpc=${method}]`));
    const rows = await page.locator('#grpc-rows tr').evaluateAll(lines => lines.map(line => {
      const [id, name, email, age, roles, at] = Array.from(line.cells, cell => cell.textContent);
      return { id, name, email, age, roles, at };
    }));
    return {
      status: await data(page, 'grpc-result', 'status'),
      messages: Number(await data(page, 'grpc-result', 'messages')),
      message: await text(page, 'grpc-message'),
      request: await text(page, 'grpc-request'),
      response: await text(page, 'grpc-response'),
      rows,
    };
  };
  const user = row => ({ ...row, id: '', at: '' });

  for (const encoding of ['proto', 'text']) {
    const suffix = encoding === 'text' ? ' in base64' : '';
    const name = `Grace ${encoding} ${run} ✓`;
    const email = `grace-${encoding}-${run}@example.com`;
    const nobody = `nobody-${run}`;
    const fresh = { id: '', name, email, age: '45', roles: 'admin, author' };
    let id;
    await page.selectOption('#grpc-encoding', encoding);

    await check(`grpc CreateUser${suffix}`, async () => {
      const reply = await call('CreateUser', fresh);
      assert.equal(reply.status, '0');
      assert.deepEqual(reply.rows.map(user), [{ ...fresh, at: '' }]);
      id = reply.rows[0].id;
      assert.ok(id);
      assert.match(reply.request, /^0000 {2}00 00 00 /);
      assert.match(reply.response, /\n/);
    });
    await check(`grpc CreateUser twice is ALREADY_EXISTS${suffix}`, async () => {
      const reply = await call('CreateUser', fresh);
      assert.equal(reply.status, '6');
      assert.equal(reply.messages, 0);
      assert.ok(reply.message);
      assert.match(await text(page, 'grpc-status'), /^6 ALREADY_EXISTS$/);
    });
    await check(`grpc CreateUser without a name is INVALID_ARGUMENT${suffix}`, async () => {
      assert.equal((await call('CreateUser', { name: '', email: `other-${email}` })).status, '3');
    });
    await check(`grpc GetUser${suffix}`, async () => {
      const reply = await call('GetUser', { id });
      assert.equal(reply.status, '0');
      assert.deepEqual(reply.rows.map(user), [{ ...fresh, at: '' }]);
    });
    await check(`grpc GetUser of nobody is NOT_FOUND${suffix}`, async () => {
      assert.equal((await call('GetUser', { id: nobody })).status, '5');
    });
    await check(`grpc UpdateUser${suffix}`, async () => {
      const changed = { name: `${name} Hopper`, email, age: 46, roles: 'admiral' };
      const reply = await call('UpdateUser', { id, ...changed });
      assert.equal(reply.status, '0');
      assert.deepEqual(reply.rows.map(user), [{ id: '', ...changed, age: '46', at: '' }]);
      assert.deepEqual((await call('GetUser')).rows.map(user), reply.rows.map(user));
    });
    await check(`grpc UpdateUser of nobody is NOT_FOUND${suffix}`, async () => {
      assert.equal((await call('UpdateUser', { id: nobody })).status, '5');
    });
    await check(`grpc ListUsers filters in any case${suffix}`, async () => {
      const reply = await call('ListUsers', { filter: `GRACE ${encoding} ${run}`, 'page-size': 0, 'page-token': '' });
      assert.equal(reply.status, '0');
      assert.deepEqual(reply.rows.map(row => row.id), [id]);
    });
    await check(`grpc DeleteUser${suffix}`, async () => {
      const reply = await call('DeleteUser', { id });
      assert.equal(reply.status, '0');
      assert.equal(reply.messages, 1);
      assert.equal((await call('GetUser')).status, '5');
    });
    await check(`grpc DeleteUser of nobody is NOT_FOUND${suffix}`, async () => {
      assert.equal((await call('DeleteUser', { id })).status, '5');
    });

    await check(`grpc ListUsers streams pages${suffix}`, async () => {
      const people = ['Alan Turing', 'Barbara Liskov', 'Donald Knuth', 'Edsger Dijkstra', 'Frances Allen', 'Grace Hopper',
        'Hedy Lamarr', 'John Backus', 'Katherine Johnson', 'Leslie Lamport', 'Radia Perlman', 'Tony Hoare'];
      const made = [];
      for (const [at, person] of people.entries()) {
        const address = `${person.toLowerCase().replace(' ', '.')}@${encoding}-${run}.example`;
        const reply = await call('CreateUser', { name: person, email: address, age: 30 + at, roles: at % 3 ? 'author' : 'admin, author' });
        assert.equal(reply.status, '0');
        made.push(reply.rows[0].id);
      }
      const ten = await call('ListUsers', { filter: '', 'page-size': 0, 'page-token': '' });
      assert.equal(ten.status, '0');
      assert.equal(ten.messages, 10);
      assert.equal(ten.rows.length, 10);
      const three = await call('ListUsers', { 'page-size': 3, 'page-token': 2 });
      assert.deepEqual(three.rows.map(row => row.id), ten.rows.slice(2, 5).map(row => row.id));
      const many = await call('ListUsers', { 'page-size': 1000, 'page-token': '' });
      assert.deepEqual(made.filter(id => !many.rows.some(row => row.id === id)), []);
      const past = await call('ListUsers', { 'page-token': 100_000 });
      assert.deepEqual([past.status, past.messages], ['0', 0]);
      if (encoding === 'proto') for (const id of made) assert.equal((await call('DeleteUser', { id })).status, '0');
    });
  }
  await check('grpc a row fills the form', async () => {
    await call('ListUsers', { 'page-token': '', 'page-size': 0, filter: '' });
    const row = page.locator('#grpc-rows tr').first();
    await row.locator('button').click();
    assert.equal(await page.inputValue('#grpc-id'), await row.getAttribute('data-user'));
  });
  // For the screenshot.
  await page.selectOption('#grpc-encoding', 'proto');
  await call('ListUsers', { 'page-token': '', 'page-size': 8, filter: 'a' });
}
