"""An asyncio server that answers 1,500 requests on the loopback, and its clients."""

import asyncio
import json


async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while line := await reader.readline():
        request = json.loads(line)
        items = [{"id": i, "square": i * i} for i in range(request["n"])]
        writer.write(json.dumps({"id": request["id"], "items": items}).encode() + b"\n")
        await writer.drain()
    writer.close()


async def client(port: int, number: int, requests: int) -> int:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    received = 0
    for i in range(requests):
        writer.write(json.dumps({"id": [number, i], "n": 20}).encode() + b"\n")
        reply = json.loads(await reader.readline())
        received += len(reply["items"])
    writer.close()
    await writer.wait_closed()
    return received


async def main() -> None:
    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    received = await asyncio.gather(*(client(port, n, 150) for n in range(10)))
    server.close()
    print(sum(received))


if __name__ == "__main__":
    asyncio.run(main())
