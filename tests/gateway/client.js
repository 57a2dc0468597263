// Transcribe a file with OpenAI's client for Node, at once and live, and print both texts as JSON.
// The arguments: address, token, model, a file of PCM at 24 kHz in WAV.
const fs = require("node:fs");
const { OpenAI } = require("openai");
const { OpenAIRealtimeWS } = require("openai/realtime/ws");

const [baseURL, apiKey, model, path] = process.argv.slice(2);
const client = new OpenAI({ baseURL, apiKey, maxRetries: 0 });

function live() {
  return new Promise((resolve, reject) => {
    const connection = new OpenAIRealtimeWS({ model }, client);
    connection.on("error", reject);
    connection.on("session.created", () => {
      const audio = { input: { turn_detection: null } };
      connection.send({ type: "session.update", session: { type: "transcription", audio } });
    });
    connection.on("session.updated", () => {
      const audio = fs.readFileSync(path).subarray(44).toString("base64");
      connection.send({ type: "input_audio_buffer.append", audio });
      connection.send({ type: "input_audio_buffer.commit" });
    });
    connection.on("conversation.item.input_audio_transcription.completed", (event) => {
      connection.close();
      resolve(event.transcript);
    });
  });
}

async function main() {
  const file = await client.audio.transcriptions.create({ file: fs.createReadStream(path), model });
  console.log(JSON.stringify([file.text, await live()]));
}

main().catch((error) => {
  console.error(error);
  process.exit(1);
});
