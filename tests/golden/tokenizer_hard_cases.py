"""What Hugging Face `tokenizers` makes of texts that are hard to get right.

Writes tests/data/tokenizer/hard_cases.json: the texts, as hexadecimal bytes because some are no
valid UTF-8; for each tokenizer of tests/data/tokenizer/trained and ../shared/models a hash of the
outcome of each text; and what truncation does to one text.

    python3 tests/golden/tokenizer_hard_cases.py

Needs: tokenizers 0.23.3, numpy. Deterministic.
"""

import json
import pathlib
import random
import unicodedata

import numpy as np
from tokenizer_data import OUT, SHARED, joined, polynomial_hash
from tokenizers import Tokenizer

HANGUL = "안녕하세요, 오늘 기분이 어떠세요? 값을 읽다 뷁"
TEXTS = [
    "", " ", "  ", "\n", "\t", "a", " a", "a ", "  a  b  ", "\na\n\nb\n", "\ta\tb", "a\r\nb\r\n", "\r\n", "a\u00a0b", "▁", "▁▁a", "a▁b", " ▁ ",
    HANGUL, unicodedata.normalize("NFD", HANGUL), unicodedata.normalize("NFD", HANGUL)[:11],
    "각각각 ᄀ ᅡ ᆨ 각 ㄱㅏㄱ ﾡ ㉮ ㈀ ㏇",
    "#Person1#: 안녕 :) 반가워 ㅠㅠ :-) ^^ 😀😀\n#Person2#: 어 그래: =야 O |x",
    "👨‍👩‍👧‍👦 👍🏽 🏳️‍🌈 🇰🇷🇰 ☺️ ☺ 1️⃣ \u200d x\u200dy",
    "e\u0301 é a\u0308\u0323 q\u0307\u0323 \u0301a \u0301 Z͑ͫ̓ͪ̂ͫ̽͏̴̙̤̞͉͚̯̞̠͍A̴̵̜̰͔ͫ͗͢L ＡＢＣ ａｂｃ Ａ\u0301 ﬁﬂ ½ ² ™ … Ⅱ ℡",
    "漢字仮名交じり文 カタカナ ｶﾀｶﾅ ー 中文，标点。「引用」 𠀀𠮷 㐀 豈",
    "שלום עולם \u200fמילה\u200e مرحبا بالعالم ٣٤٥ لا\u064b",
    "हिन्दी ไทยคำ தமிழ் ລາວ ខ្មែរ মাংস",
    "\x00", "a\x00b", "\x01\x02\x1f\x7f\x80\x9f", "a\x0bb\x0cc\x1cd\x85e\u2028f\u2029g\u200bh\ufeffi\u00adj\u3000k",
    "\ufeffBOM", "\ufffd", "a\ufffdb", "\ufdd0\uffff\U0010ffff\ue000",
    "x" * 100, "가" * 200, "ab" * 300, "supercalifragilisticexpialidocious" * 5, "a" * 41, "1" * 50, "!" * 60, "▁" * 30, " " * 50, "\n" * 20,
    "a" + "\u0301" * 40, "https://example.org/a/very/long/path?query=1&b=2#frag--==", "lib32gcc-12-dev_12.2.0-14+deb12u1_amd64.deb",
    "<s>", "</s>", "<s>a</s>", "a<mask>b", "a <mask> b", "a  <mask>  b", "<mask><mask>", " <s> <s> ", "<pad><unk>", "x<unk>y", "[CLS] a [SEP] [MASK] b[UNK]", "<S>", "< s>", "<s", "s>", "<0x41>", "<0x0A><0xEA>",
    "gnome", "gnomes", "a gnome.", "xgnome gnome", "GNOME gnome-shell _gnome", "Debian  is Debian\n debian", "a 데비안 b", "데비안데비안  데비안 ", "é gnome é", "gnomeé",
    "I'm you're we'll they've he'd it's 'tis can't CAN'T 'S 'x ' '", "don't do not n't  's 've", "Hello, world! How are you ? Fine . (ok) [x] {y} 'q' \"z\"",
    "3.14 1,000,000 ½ ٣ ५ Ⅷ ① 12th 0x1F 1e-9", "snake_case __init__ a_b _ __ _x x_", "A.B.C. U.S.A... ?! ?? -- --- –—", "İstanbul ıI ſß ẞ ΑΣ Σας ǅ Ǆ ﬀ",
    "MiXeD CaSe TeXT ÀÉÎÕÜ ñ ç Ł ø", "tab\tand  two   spaces    four", "trailing \n", " leading", "\u3000全角\u3000", "a\u2009b\u202fc\u205fd", "ﷺ ㍿ ㌀ ﷼",
    "Ω Ω K K Å Å", "ｈｅｌｌｏ　ｗｏｒｌｄ", "１２３", "\U0001d400\U0001d7ce\U0001f130", "\u0149 \u0344 \u0f43 \u2126", "ᾳ ΐ ΰ", "각각 e\u0301가\u1100\u1161\u11a8",
]
BYTES = [
    b"\xff", b"a\xffb", b"\xed\xa0\x80", b"\xed\xa0\xbd\xed\xb8\x80", b"\xe1\x80", b"\xf0\x9f\x98", b"\xf0\x9f\x98x", b"\xc0\xaf", b"\xe0\x80\xaf", b"\xf4\x90\x80\x80", b"\xf8\x88\x80\x80\x80",
    b"\x80\x80\x80", b"\xec\x95", b"\xec\x95\x88\xeb", b"ok \xc3 \xc3\xa9 \xc3", b"\xfe\xff", b"a\xe2\x82b\xe2\x82\xacc", b"<s\xff>", b"\xe2\x96", b" \xe2\x96\x81\xe2\x96",
]


def random_texts() -> list[bytes]:
    """Mixtures that nobody would think of."""
    rng = random.Random(3)
    pool = [c for text in TEXTS for c in text] + list("   \n\t'▁_<>:)=^") + ["<s>", "</s>", "<mask>", "gnome", "Debian", "데비안", "\r\n", "ㅠㅠ"]
    made = ["".join(rng.choice(pool) for _ in range(rng.randint(1, 40))).encode() for _ in range(120)]
    made += [bytes(rng.choice(b"a \xe1\x84\x80\xea\xb0\x80\xf0\x9f\x98\x80\xff\xc3\xa9") for _ in range(rng.randint(1, 25))) for _ in range(60)]
    return made


def case(tokenizer: Tokenizer, raw: bytes) -> str:
    """One hash of four outcomes: ids and text, each without and with special tokens."""
    text = raw.decode("utf-8", errors="replace")
    plain = tokenizer.encode(text, add_special_tokens=False).ids
    full = tokenizer.encode(text).ids
    decoded = [tokenizer.decode(full), tokenizer.decode(full, skip_special_tokens=False)]
    return polynomial_hash(joined(
        [np.array(ids, np.uint64) for ids in (plain, full)]
        + [np.frombuffer(text.encode(), np.uint8).astype(np.uint64) for text in decoded]))


def truncated(path: pathlib.Path) -> list[dict]:
    text = TEXTS[18]
    results = []
    for length, direction, strategy in (
            (3, "right", "longest_first"), (8, "right", "only_first"), (8, "left", "longest_first"),
            (1000, "left", "longest_first"), (2, "right", "longest_first")):
        tokenizer = Tokenizer.from_file(str(path))
        tokenizer.enable_truncation(length, direction=direction, strategy=strategy)
        results.append({
            "truncation": json.loads(tokenizer.to_str())["truncation"],
            "ids": tokenizer.encode(text).ids, "plain": tokenizer.encode(text, add_special_tokens=False).ids})
    return results


def main() -> None:
    texts = [text.encode() for text in TEXTS] + BYTES + random_texts()
    golden = {"texts": [raw.hex() for raw in texts], "trained": {}, "shared": {}, "truncated": {}}
    for path in sorted((OUT / "trained").glob("*.json")):
        tokenizer = Tokenizer.from_file(str(path))
        golden["trained"][path.stem] = [case(tokenizer, raw) for raw in texts]
    for name in ("deb-bart", "kobart-dialogue"):
        tokenizer = Tokenizer.from_file(str(SHARED / "models" / name / "tokenizer.json"))
        golden["shared"][name] = [case(tokenizer, raw) for raw in texts]
    for name in ("bpe_byte_level", "bpe_split", "unigram", "wordpiece"):
        golden["truncated"][name] = {"text": TEXTS[18], "cases": truncated(OUT / "trained" / f"{name}.json")}
    (OUT / "hard_cases.json").write_text(json.dumps(golden, ensure_ascii=False, separators=(",", ":")) + "\n")


if __name__ == "__main__":
    main()
