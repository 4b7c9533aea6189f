"""Threads that run one after the other."""
import threading


def work(n):
    total = 0
    for i in range(n):
        total += helper(i)
    return total


def helper(i):
    return i * i


class Worker(threading.Thread):
    def run(self):
        work(3)


for size in (2, 4):
    t = threading.Thread(target=work, args=(size,))
    t.start()
    t.join()
w = Worker()
w.start()
w.join()
work(5)
