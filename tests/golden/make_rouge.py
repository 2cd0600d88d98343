"""Records what PyPI's rouge-score gives, for tests/evaluate/rouge_parity_test.cc.

    python tests/golden/make_rouge.py [--shared ../shared]

Needs rouge-score 0.1.2 and nltk. Writes, in tests/data/evaluate:
  rouge.json   texts and their scores, with and without the stemmer, at full precision
  stems.json   words and their stems
  shared.json  hashes of scores and stems over the data in --shared, whose text stays there
The result is the same in every run.
"""

import argparse
import json
import pathlib
import random
import re
import struct

from nltk.stem import porter
from rouge_score import rouge_scorer

TYPES = ["rouge1", "rouge2", "rougeL", "rougeLsum"]
HERE = pathlib.Path(__file__).resolve().parent
OUT = HERE.parent / "data" / "evaluate"

# prediction, references
HAND_WRITTEN = [
    ("", [""]),
    ("", ["something"]),
    ("something", [""]),
    (" \t\n\n ", ["something"]),
    ("... !!! ---", ["?!"]),
    ("the cat", ["the cat"]),
    ("the the the the", ["the cat the"]),
    ("The QUICK brown-fox", ["the quick brown fox jumps"]),
    ("a b c d e f", ["f e d c b a"]),
    ("a x b x c", ["a b c"]),
    ("one", ["one two", "one", "three"]),
    ("alpha beta gamma", ["alpha gamma", "beta gamma delta", "alpha beta"]),
    ("no match here", ["wholly different words", "another reference", ""]),
    ("version 2.3.1 of foo_bar-1.0", ["version 2.3.1 of foo bar 1 0"]),
    ("x86_64 and amd64", ["X86 64 AMD64"]),
    ("caf\u00e9 na\u00efve", ["cafe naive"]),
    ("3\u212a and \u0130stanbul", ["3k and i stanbul"]),
    ("\uff26\uff55\uff4c\uff4c width", ["full width"]),
    ("\uc548\ub155\ud558\uc138\uc694 \uc138\uacc4", ["\uc548\ub155\ud558\uc138\uc694 \uc138\uacc4"]),
    ("#Person1#\ub294 \uc544\ud504\ub2e4", ["#Person1#\uc740 \uc2ac\ud504\ub2e4", "Person1"]),
    ("GNU \ucef4\ud30c\uc77c\ub7ec 12", ["GNU compiler 12"]),
    ("don't can't won't", ["do not cannot will not", "dont cant wont"]),
    ("first line\nsecond line", ["first line\nsecond line"]),
    ("second line\nfirst line", ["first line\nsecond line"]),
    ("first line second line", ["first line\nsecond line"]),
    ("w1 w2 w6 w7 w8\nw1 w3 w8 w9 w5", ["w1 w2 w3 w4 w5"]),
    ("w1 w2 w6 w7 w8\nw1 w3 w8 w9 w5", ["w1 w2 w3 w4 w5\nw9 w8 w1"]),
    ("a b a b a\n\n\nb a b", ["b a\na b a b\n...\n"]),
    ("crlf line\r\nnext line\r\n", ["crlf line\nnext line"]),
    ("running runs ran easily fairly", ["run running easy fair"]),
    ("flies dies skies lying news", ["fly die sky lie new"]),
    ("generalizations of relational operators", ["general relation operate"]),
    ("tools for managing packages", ["tool to manage a package", "managed packaging tools"]),
    ("yyyy yyying syzygy", ["yyyyed syzygies"]),
    ("a" * 500 + "ing", ["a" * 500]),
]

ROOTS = (
    "manag librar compil develop relat oper activ summar languag packag document agre hop tann fall "
    "fizz fil happ enjo spy fl tri feed bless conflat troubl siz motor plaster valenc hesitanc "
    "digit conform radical differ vil analog vietnam predic feudal decis hopeful callous form "
    "sensitiv sensib triplic electr good reviv allow infer airlin gyroscop adjust defens irrit "
    "replac depend adopt homolog commun angular effect bowdler probat ceas controll roll geo theo "
    "archaeo psycho analys graphic cr tr xy yell buy boy syl quy ou ee ii abs lov us 2d x11 utf8"
).split()
SUFFIXES = (
    " s es ies ed ied eed ing y ly ally ation ational tional ator ization izer ize izes able ably "
    "bly alli entli eli ousli alism iveness fulness ousness aliti iviti biliti fulli ful fully logi logy "
    "logist icate ative alize iciti ical ness al ance ence er ic ible ant ement ment ent ion sion "
    "tion ou ism ate iti ous ive e ll l lls ss sses at bl iz ated bling izing 1 2s"
).split(" ")
IRREGULAR = (
    "sky skies dying lying tying news innings inning outings outing cannings canning howe proceed "
    "exceed succeed proceeds succeeded exceeding ties pies died tied spied cried"
).split()


def words():
    made = {root + suffix for root in ROOTS for suffix in SUFFIXES}
    made |= {root + a + b for root in ROOTS[::7] for a in SUFFIXES[::3] for b in SUFFIXES[::4]}
    return sorted(set(random.Random(7).sample(sorted(made), 4500)) | set(IRREGULAR))


def random_text(rng, vocabulary, lines, length):
    marks = [" ", " ", " ", " ", ", ", ". ", "-", "_", " \u2014 "]
    text = []
    for _ in range(lines):
        line = ""
        for _ in range(rng.randint(0, length)):
            word = rng.choice(vocabulary)
            line += (word.upper() if rng.random() < 0.1 else word) + rng.choice(marks)
        text.append(line)
    return "\n".join(text)


def random_cases():
    rng = random.Random(20240607)
    pool = words()
    cases = []
    for index in range(60):
        # Few different words make many ties between common subsequences.
        vocabulary = rng.sample(pool, rng.choice([2, 3, 5, 20, 60]))
        lines = rng.choice([1, 1, 2, 4, 8])
        length = rng.choice([4, 12, 30])
        references = [
            random_text(rng, vocabulary, lines, length) for _ in range(rng.choice([1, 1, 1, 3]))
        ]
        cases.append((random_text(rng, vocabulary, rng.choice([1, lines]), length), references))
    # Longer than one and than several 64-bit words of the bit-parallel table.
    for length in (63, 64, 65, 128, 300):
        vocabulary = rng.sample(pool, 12)
        cases.append(
            tuple(
                (" ".join(rng.choice(vocabulary) for _ in range(n)))
                if i == 0
                else [" ".join(rng.choice(vocabulary) for _ in range(n))]
                for i, n in enumerate((length, length + rng.randint(-3, 3)))
            )
        )
    return cases


def scores(scorer, prediction, references):
    result = scorer.score_multi(references, prediction)
    return [[float(value) for value in result[name]] for name in TYPES]


def fnv1a(data, state=0xCBF29CE484222325):
    for byte in data:
        state = ((state ^ byte) * 0x100000001B3) & 0xFFFFFFFFFFFFFFFF
    return state


def lead(document):
    """What stands in for a prediction: the text up to the first full stop and space."""
    return document[: document.find(". ") + 1] if ". " in document else document


def shared_case(path, plain, stemming):
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    case = {"file": path.name, "documents": len(rows)}
    for name, scorer in (("plain", plain), ("stemmed", stemming)):
        state = 0xCBF29CE484222325
        sums = [[0.0] * 3 for _ in TYPES]
        for row in rows:
            values = scores(scorer, lead(row["document"]), [row["summary"]])
            for total, value in zip(sums, values):
                for part in range(3):
                    total[part] += value[part]
            flat = [part for value in values for part in value]
            state = fnv1a(struct.pack("<12d", *flat), state)
        case[name] = {"hash": f"{state:016x}", "mean": [[t / len(rows) for t in s] for s in sums]}
    vocabulary = sorted(
        {
            word
            for row in rows
            for word in re.findall("[a-z0-9]+", (row["document"] + " " + row["summary"]).lower())
        }
    )
    stemmer = porter.PorterStemmer()
    stems = "".join(stemmer.stem(word) + "\n" for word in vocabulary)
    case["words"] = len(vocabulary)
    case["stems"] = f"{fnv1a(stems.encode()):016x}"
    return case


def write(name, value):
    OUT.mkdir(parents=True, exist_ok=True)
    text = json.dumps(value, ensure_ascii=True, separators=(",", ":"))
    (OUT / name).write_text(text.replace('},{"', '},\n{"') + "\n")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--shared", type=pathlib.Path, default=HERE.parents[2] / "shared")
    shared = parser.parse_args().shared
    plain = rouge_scorer.RougeScorer(TYPES, use_stemmer=False)
    stemming = rouge_scorer.RougeScorer(TYPES, use_stemmer=True)

    write(
        "rouge.json",
        [
            {
                "prediction": prediction,
                "references": references,
                "plain": scores(plain, prediction, references),
                "stemmed": scores(stemming, prediction, references),
            }
            for prediction, references in HAND_WRITTEN + random_cases()
        ],
    )
    stemmer = porter.PorterStemmer()
    write("stems.json", {word: stemmer.stem(word) for word in words()})
    data = shared / "data"
    if data.is_dir():
        names = ("dev.jsonl", "dialogue-dev.jsonl")
        write("shared.json", [shared_case(data / name, plain, stemming) for name in names])


if __name__ == "__main__":
    main()
