"""Structured concurrency: TaskGroup and timeouts."""
import asyncio


async def step(n):
    for _ in range(n):
        await asyncio.sleep(0)
    return n


async def failing():
    await asyncio.sleep(0)
    raise ValueError("one task fails")


async def main():
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(step(n)) for n in range(3)]
    total = sum(t.result() for t in tasks)
    try:
        async with asyncio.TaskGroup() as group:
            group.create_task(failing())
    except* ValueError:
        total += 1
    return total


asyncio.run(main())
