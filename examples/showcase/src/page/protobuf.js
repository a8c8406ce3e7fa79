// Protocol Buffers: just what the service's messages need. A schema is a list of [field number, name, kind].
const USER = [[1, 'id', 'string'], [2, 'name', 'string'], [3, 'email', 'string'], [4, 'age', 'int32'], [5, 'roles', 'strings']];
const DELETED = [[1, 'success', 'int32'], [2, 'message', 'string']];
function varint(value) {
  const bytes = [];
  let rest = BigInt.asUintN(64, BigInt(value));
  for (; rest > 127n; rest >>= 7n) bytes.push(Number(rest & 127n) | 128);
  return [...bytes, Number(rest)];
}
const delimited = (number, bytes) => [...varint(number << 3 | 2), ...varint(bytes.length), ...bytes];
const fieldOf = {
  int32: (number, value) => value ? [...varint(number << 3), ...varint(value)] : [],
  string: (number, value) => value ? delimited(number, utf8.encode(value)) : [],
  strings: (number, values) => values.flatMap(value => delimited(number, utf8.encode(value))),
  user: (number, value) => delimited(number, encode(USER, value)),
};
const encode = (schema, message) => schema.flatMap(([number, name, kind]) => fieldOf[kind](number, message[name]));
function decode(schema, bytes) {
  const message = Object.fromEntries(schema.map(([, name, kind]) => [name, kind === 'strings' ? [] : kind === 'int32' ? 0 : '']));
  let at = 0;
  const number = () => {
    let value = 0n;
    for (let shift = 0n; ; shift += 7n) {
      if (at >= bytes.length) throw new Error('truncated protobuf');
      value |= BigInt(bytes[at] & 127) << shift;
      if (bytes[at++] < 128) return value;
    }
  };
  while (at < bytes.length) {
    const tag = Number(number()), field = schema.find(([n]) => n === tag >> 3);
    if ((tag & 7) === 0) {
      const value = Number(BigInt.asIntN(32, number()));
      if (field) message[field[1]] = value;
    } else if ((tag & 7) === 2) {
      const length = Number(number()), text = new TextDecoder().decode(bytes.subarray(at, at += length));
      if (field?.[2] === 'strings') message[field[1]].push(text);
      else if (field) message[field[1]] = text;
    } else throw new Error(`wire type ${tag & 7}`);
  }
  return message;
}
