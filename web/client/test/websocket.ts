// A WebSocket for Node 20, which has none: what a browser's does of RFC 6455, as far as the server uses it.
import { createHash, randomBytes } from "node:crypto";
import { connect, type Socket } from "node:net";
import type { WebSocketConstructor, WebSocketLike } from "../src/index.js";

const text = 1;
const closing = 8;
const ping = 9;
const pong = 10;

class NodeWebSocket implements WebSocketLike {
  onopen: ((event: any) => any) | null = null;
  onmessage: ((event: any) => any) | null = null;
  onclose: ((event: any) => any) | null = null;
  onerror: ((event: any) => any) | null = null;
  readonly #socket: Socket;
  #unread: Buffer = Buffer.alloc(0);
  #open = false;
  #end = { code: 1006, reason: "" };

  constructor(url: string, protocols: string[]) {
    const { hostname, port, host, pathname } = new URL(url);
    const key = randomBytes(16).toString("base64");
    this.#socket = connect({ host: hostname, port: Number(port) }, () => {
      const lines = [`GET ${pathname} HTTP/1.1`, `Host: ${host}`, "Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13"];
      this.#socket.write([...lines, `Sec-WebSocket-Key: ${key}`, `Sec-WebSocket-Protocol: ${protocols.join(", ")}`, "", ""].join("\r\n"));
    });
    this.#socket.on("data", (chunk) => {
      this.#unread = Buffer.concat([this.#unread, chunk]);
      if (!this.#open) this.#handshake(key);
      if (this.#open) while (this.#frame());
    });
    this.#socket.on("error", () => this.onerror?.({}));
    this.#socket.on("close", () => this.onclose?.(this.#end));
  }

  send(data: string): void {
    if (!this.#open) throw new Error("the WebSocket is not open");
    this.#write(text, Buffer.from(data));
  }

  close(code = 1000): void {
    if (!this.#open) return void this.#socket.destroy();
    this.#write(closing, Buffer.from([code >> 8, code & 255]));
    this.#socket.end();
  }

  #handshake(key: string): void {
    const end = this.#unread.indexOf("\r\n\r\n");
    if (end < 0) return;
    const head = this.#unread.subarray(0, end).toString();
    const accept = createHash("sha1").update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest("base64");
    if (!head.startsWith("HTTP/1.1 101 ") || !head.includes(accept)) return void this.#socket.destroy();
    this.#unread = this.#unread.subarray(end + 4);
    this.#open = true;
    this.onopen?.({});
  }

  // Takes one frame; false: there is no whole one yet. Servers do not mask, and this one does not fragment.
  #frame(): boolean {
    const b = this.#unread;
    if (b.length < 2) return false;
    const short = b[1]! & 127;
    const head = short === 126 ? 4 : short === 127 ? 10 : 2;
    if (b.length < head) return false;
    const length = short === 126 ? b.readUInt16BE(2) : short === 127 ? Number(b.readBigUInt64BE(2)) : short;
    if (b.length < head + length) return false;
    const payload = b.subarray(head, head + length);
    this.#unread = b.subarray(head + length);
    const opcode = b[0]! & 15;
    if (opcode === text) this.onmessage?.({ data: payload.toString() });
    if (opcode === ping) this.#write(pong, payload);
    if (opcode === closing) {
      if (length >= 2) this.#end = { code: payload.readUInt16BE(0), reason: payload.subarray(2).toString() };
      this.#write(closing, payload.subarray(0, 2));
      this.#socket.end();
    }
    return true;
  }

  #write(opcode: number, payload: Buffer): void {
    const mask = randomBytes(4);
    const n = payload.length;
    const head = n < 126 ? Buffer.from([128 | opcode, 128 | n]) : Buffer.from([128 | opcode, 128 | 126, n >> 8, n & 255]);
    this.#socket.write(Buffer.concat([head, mask, payload.map((byte, i) => byte ^ mask[i & 3]!)]));
  }
}

/** That of Node where there is one, from 22 on. */
export const WebSocket: WebSocketConstructor = (globalThis as { WebSocket?: WebSocketConstructor }).WebSocket ?? NodeWebSocket;
