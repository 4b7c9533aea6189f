"""Much at module level: branches, loops, docstrings, annotations, no functions called."""
x: int = 1
y: "list[int]" = [1,
                  2]
z: int
if x == 1:
    pass
elif x == 2:
    y = 2
else:
    y = 3
for n in y:
    if n == 1:
        continue
    x += n
try:
    x += 1
except ValueError:
    x = 0
else:
    x += 1
finally:
    x += 1
"a string as a statement"
...
pass
global_name = x; other = y; del other
import os.path, sys
from os import (
    sep,
    linesep,
)
assert x, "message"
if 0:
    never = 1
if __debug__:
    x += 1
while x > 3: x -= 1
while True:
    x += 1
    if x > 5:
        break
