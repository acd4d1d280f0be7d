#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Judges a shown sentence from its evidence alone. It shares no code with what writes the sentences.

    claims.py --self          the judge's own tests

Read are one object of `recommendations` (docs/answers.md) and the catalogue as the raw files have it. A sentence CLAIMS

    an item      by its id; by its title; by a part of its title between marks, of two words or more; or by three words of
                 its title in a row, two of which few titles have
    a brand      by its name in any letter case
    a category   by its name in any letter case, one or many of it
    a number     in digits, or as a word from two on; and signs of money

and each claim must be backed by the same words, or the same number beside one of the same words, in its evidence: the lines of `evidence`, the titles
of `because` and the title of what is recommended. A sentence NAMES something of its evidence where it has an item, a
brand, a category or a number that is backed so, or a word that is in the title of one of these items and in few titles; a brand or
a category that more than half of the catalogue has names nothing.
"""
import html
import re
import sys
import unicodedata

WORD = re.compile(r"[^\W_]+")
NUMBERS = re.compile(r"\d+(?:[.,]\d+)*|[^\W\d_]+")
PARTS = re.compile(r"[()\[\]{},:;|/\"]+|\s[-–—]+\s|\s[.&+]\s")
MONEY = re.compile(r"[$£¥€¢₹%]")
COUNTS = ("two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen "
          "nineteen twenty thirty forty fifty sixty seventy eighty ninety hundred hundreds thousand thousands million "
          "millions dozen dozens twice thrice percent").split()
DIGITS = {w: str(n) for n, w in enumerate(COUNTS[:19], 2)}
PLAIN = set("a an and any are as at be best box but by card cards case color design designs for free from gift gifts "
            "good great has have her here his i in is it its just kit large like more most my new nice not of on one or "
            "our pack perfect product set she small so than that the their them then there these they thing things this "
            "those to too use used various very was we were with you your".split())
RARE = 0.1  # share of the titles that may have a word that tells items apart


def clean(text):
    return unicodedata.normalize("NFKC", html.unescape(html.unescape(text or "")))


def words(text):
    return tuple(WORD.findall(clean(text).casefold()))


def holds(row, part):
    """Whether the words `part` stand side by side in `row`."""
    n = len(part)
    return bool(n) and any(row[k:k + n] == part for k in range(len(row) - n + 1))


def folded(row):
    """One and many are one: "cards" is "card"."""
    return tuple(w[:-1] if len(w) > 3 and w.endswith("s") and not w.endswith("ss") else w for w in row)


class Catalogue:
    """items: of each one id, title, brand and a list of categories; what is not known is empty."""

    def __init__(self, items):
        titles = [words(title) for _, title, _, _ in items]
        self.ids = {item.casefold() for item, _, _, _ in items}
        self.brands = {words(brand) for _, _, brand, _ in items} - {()}
        self.categories = {folded(words(c)) for _, _, _, many in items for c in many} - {()}
        of_one = [{("brand", words(b))} | {("category", folded(words(c))) for c in many} for _, _, b, many in items]
        counts = {name: sum(name in have for have in of_one) for name in set().union(*of_one)}
        self.common = {(kind, " ".join(part)) for (kind, part), n in counts.items() if n > len(items) / 2}
        self.titles = {t for t in titles if len(t) > 1}
        self.single = {clean(title).strip() for _, title, _, _ in items if len(words(title)) == 1}
        have = {}
        for t in titles:
            for w in set(t):
                have[w] = have.get(w, 0) + 1
        self.rare = {w for w, n in have.items() if n <= max(1, RARE * len(items)) and w not in PLAIN and len(w) > 2}
        self.parts = set()
        for _, title, _, _ in items:
            self.parts |= {words(p) for p in PARTS.split(clean(title))}
        self.parts = {p for p in self.parts if len(p) > 1 and any(w in self.rare for w in p)}
        self.runs = {t[k:k + 3] for t in titles for k in range(len(t) - 2) if sum(w in self.rare for w in t[k:k + 3]) > 1}

    def items_in(self, text):
        row = words(text)
        found = {(w,) for w in row if w in self.ids}
        for n in {len(t) for t in self.titles | self.parts} | {3}:
            for k in range(len(row) - n + 1):
                part = row[k:k + n]
                if part in self.titles or part in self.parts or part in self.runs:
                    found.add(part)
        for title in self.single:  # "Up": a name only where it is written as one, inside a sentence
            if title[:1].isupper() and re.search(r"[\w,;'\"] \W?" + re.escape(title) + r"\b", clean(text)):
                found.add(words(title))
        return found

    def brands_in(self, text):
        row = words(text)
        return {b for b in self.brands if holds(row, b)}

    def categories_in(self, text):
        row = folded(words(text))
        return {c for c in self.categories if holds(row, c)}


def numbers_in(text, ids=frozenset()):
    """As they are written, 4.9 is not 4, and number words, each with the word before and the word behind it. Those inside
    of ids are none."""
    text = WORD.sub(lambda w: " " if w.group().casefold() in ids else w.group(), clean(text)).casefold()
    found = []
    for m in NUMBERS.finditer(text):
        if m.group()[0].isdigit() or m.group() in COUNTS:
            before, after = WORD.findall(text[:m.start()]), WORD.findall(text[m.end():])
            found.append((m.group(), before[-1] if before else None, after[0] if after else None))
    return found


def number_backed(number, known):
    """Three stars are not the three of "3 of the 9 people": it must stand beside one of the same words."""
    for other in known:
        if number[0] == other[0] or DIGITS.get(number[0]) == other[0]:
            if (number[1] and number[1] == other[1]) or (number[2] and number[2] == other[2]):
                return True
    return False


def evidence_of(one):
    """All that one recommendation may speak of, a text each; a reviewer's quoted sentence is its own evidence."""
    return list(one["evidence"]) + [b["title"] for b in one["because"]] + [one["title"], one.get("quote") or ""]


def judge(catalogue, text, evidence):
    """(claims without backing, what is named from the evidence), both sorted lists of (kind, words)."""
    rows = [words(e) for e in evidence]
    flat = [folded(r) for r in rows]
    known = [n for e in evidence for n in numbers_in(e, catalogue.ids)]
    missing, named = [], []
    for kind, found in (("item", catalogue.items_in(text)), ("brand", catalogue.brands_in(text))):
        for part in found:
            (named if any(holds(r, part) for r in rows) else missing).append((kind, " ".join(part)))
    for part in catalogue.categories_in(text):
        (named if any(holds(r, part) for r in flat) else missing).append(("category", " ".join(part)))
    for number in numbers_in(text, catalogue.ids):
        (named if number_backed(number, known) else missing).append(("number", number[0]))
    for sign in set(MONEY.findall(clean(text))):
        if not any(sign in clean(e) for e in evidence):
            missing.append(("number", sign))
    return sorted(missing), sorted(named)


def names_something(catalogue, text, one):
    """`judge` says what of claims is named; a telling word of a title counts too."""
    if set(judge(catalogue, text, evidence_of(one))[1]) - catalogue.common:
        return True
    telling = {w for t in [b["title"] for b in one["because"]] + [one["title"]] for w in words(t) if w in catalogue.rare}
    return bool(telling & set(words(text)))


# ---- the judge judged ----

def self_test():
    shop = Catalogue([
        ("B01", "Coffee Gift Card in a Santa Tin (Merry Christmas Design)", "Northquay", ["Gift Cards", "Food"]),
        ("B02", "Coffee Gift Card in a Gold Hearts Box", "Northquay", ["Gift Cards"]),
        ("B03", "Teapot with Tap", "Tern Island", ["Kitchen", "Tea"]),
        ("B04", "Titania", "", []),
        ("B05", "", "", []),
    ] + [(f"C{k:02}", f"Plain thing number {k + 100}", "", ["Mugs"]) for k in range(30)])
    one = {"title": "Coffee Gift Card in a Gold Hearts Box", "because": [
        {"item": "B01", "title": "Coffee Gift Card in a Santa Tin (Merry Christmas Design)", "share": .5}],
        "evidence": ["12 of the 80 other people who chose \"B05\" chose this too.",
                     "62 people chose it; its 3 ratings average 4.9 on a scale from 1 to 5.",
                     "Shares the category \"Gift Cards\" with \"B01\".", "It is listed under \"Mugs\".", "Somebody who chose it wrote: \"From Northquay, $25.\""]}
    cases = [  # sentence, kinds of claims without backing, whether it names something
        ("Great product, works fine.", [], False),
        ("It's a perfect gift, I like it.", [], False),
        ("A lovely gift card.", [], True),  # its category
        ("A lovely mug.", [], False),  # also a category, but of most
        ("Everybody loves food.", ["category"], False),
        ("The Santa one was better.", [], True),
        ("You liked \"Coffee Gift Card in a Santa Tin\", and 12 of the 80 did.", [], True),
        ("As good as the merry christmas design.", [], True),
        ("As good as a Teapot with Tap.", ["item"], False),
        ("It came in a red box.", [], False),
        ("They sell Tern island here.", ["brand"], False),
        ("I like northquay.", [], True),
        ("He has seen Titania before.", ["item"], False),
        ("Titania is a word as a sentence begins.", [], False),
        ("It goes with B03, said B05.", ["item"], True),
        ("Nice teas, I had 4 of them.", ["category", "number"], False),
        ("The ratings average 4.9 for now.", [], True),
        ("It was rated 4.9 by many.", ["number"], False),
        ("Two of the 80 people have it.", ["number"], True),
        ("It has three ratings.", [], True),
        ("I have three of them.", ["number"], False),
        ("I have seven of them.", ["number"], False),
        ("Of Northquay, $25.", [], True),
        ("Only £20.", ["number", "number"], False),
    ]
    for text, kinds, named in cases:
        missing, _ = judge(shop, text, evidence_of(one))
        got = names_something(shop, text, one)
        if sorted(k for k, _ in missing) != sorted(kinds) or got != named:
            sys.exit(f"claims.py: {text!r}: {missing}, names something: {got}")
    print(f"{len(cases)} sentences judged as they should be")


if __name__ == "__main__":
    if sys.argv[1:] != ["--self"]:
        sys.exit("usage: claims.py --self")
    self_test()
