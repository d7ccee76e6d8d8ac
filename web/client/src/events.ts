/**
 * Finds the data of the events of a `text/event-stream` that comes in pieces (https://html.spec.whatwg.org/multipage/server-sent-events.html). Other fields
 * are not looked at: the data says what it is.
 */
export class EventParser {
  #rest = "";
  #data: string[] = [];

  /** Takes the next piece, and returns the data of the events that it ends. */
  push(text: string): string[] {
    const lines = (this.#rest + text).split(/\r\n|\n|\r(?!$)/); // a CR at the very end may be half of an end of line
    this.#rest = lines.pop()!;
    const ended: string[] = [];
    for (const line of lines) {
      if (line.startsWith("data:")) this.#data.push(line.slice(line[5] === " " ? 6 : 5));
      else if (line === "data") this.#data.push("");
      else if (line === "" && this.#data.length > 0) ended.push(this.#data.splice(0).join("\n"));
    }
    return ended;
  }
}
