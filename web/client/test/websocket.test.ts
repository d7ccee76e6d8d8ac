import { testWithServer } from "./server.js";

testWithServer("websocket");
