"""async/await driven by asyncio: tasks, gather, async with, async for, cancellation."""
import asyncio


async def leaf(n):
    await asyncio.sleep(0)
    return n


class Resource:
    async def __aenter__(self):
        await leaf(1)
        return self

    async def __aexit__(self, *exc):
        await leaf(2)
        return False


async def work(n):
    total = 0
    for i in range(n):
        total += await leaf(i)
    async with Resource():
        total += 1
    return total


async def forever():
    try:
        while True:
            await asyncio.sleep(0)
    except asyncio.CancelledError:
        await leaf(0)
        raise


async def main():
    await work(3)
    results = await asyncio.gather(work(1), work(2))
    task = asyncio.ensure_future(leaf(9))
    results.append(await task)
    return results


asyncio.run(main())
