"""Async generators and async comprehensions."""
import asyncio


async def ticks(n):
    for i in range(n):
        yield i
        await asyncio.sleep(0)


async def closing():
    try:
        yield 1
        yield 2
    finally:
        await asyncio.sleep(0)


async def main():
    total = 0
    async for t in ticks(3):
        total += t
    doubled = [t * 2 async for t in ticks(4)]
    chosen = {t async for t in ticks(4) if t % 2}
    agen = closing()
    await agen.__anext__()
    await agen.aclose()
    return total, doubled, chosen


asyncio.run(main())
