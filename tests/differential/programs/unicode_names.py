"""Names and text beyond ASCII."""


def größe(länge):
    return länge * 2


class Кошка:
    def мяу(self):
        return "мяу"


def 計算(値):
    結果 = [größe(v) for v in 値]
    return 結果


計算([1, 2, 3])
for _ in range(2):
    Кошка().мяу()
ñandú = {"é": lambda ß: ß}
ñandú["é"](größe(1))
exec("def привет():\n    return 'ü'\nпривет()")
