import { testWithServer } from "./server.js";

testWithServer("sse");
