"""Small folders without tokenizer.json, and what their own ("slow") tokenizers make of texts.

Trains SentencePiece and byte-level BPE models on a few sentences written here, lays them out as
BART, Marian, mBART, mBART-50 and Pegasus checkpoints do, and writes
tests/data/tokenizer/folders/<name>/ and tests/data/tokenizer/folders.json (texts, ids, decoded).

BART and Marian are judged by transformers itself. transformers 5 has no slow mBART and Pegasus
tokenizers any more, so their rules are spelled out here, over the sentencepiece library:
what comes before and after, and where each id comes from.

    python3 tests/golden/tokenizer_folders.py

Needs: transformers 5.24, sentencepiece 0.2.3, tokenizers 0.23.3. The trained files are committed, as
training may differ from version to version.
"""

import json
import pathlib
import re
import tempfile

import sentencepiece
from tokenizers import ByteLevelBPETokenizer
from transformers import BartTokenizer, MarianTokenizer

HERE = pathlib.Path(__file__).resolve().parent
OUT = HERE.parent / "data" / "tokenizer" / "folders"

CORPUS = [
    "The quick brown fox jumps over the lazy dog, again and again and again.",
    "A summary says in few words what a document says in many words.",
    "This package contains the documentation, the examples and the tests.",
    "He's sure that they're right; we'll see what it's worth, won't we?",
    "Numbers such as 3.14, 42, 1,000,000 and 2026 appear in texts.",
    "안녕하세요, 오늘은 날씨가 참 좋네요. 같이 산책하러 갈까요?",
    "이 문서는 대화를 요약한 것입니다. 요약은 짧고 정확해야 합니다.",
    "사람들은 요약을 읽고 문서의 내용을 빠르게 이해합니다.",
    "Der schnelle braune Fuchs springt über den faulen Hund, größer als je zuvor.",
    "Ștefan a citit documentul și a scris un rezumat scurt.",
] * 4

TEXTS = [
    "", " ", "The quick fox.", "  leading and trailing  ", "the   lazy\ndog\tagain", "안녕하세요, 오늘은 좋네요.",
    "unknown 漢字 and 😀 emoji", "ＡＢＣ ﬁne ½", "He's right, they'll see. won't we ?", "a</s>b", "</s>", "<unk> <pad> x", "a <mask> b", "a <mask>  b<mask>",
    ">>fra<< The quick fox.", ">>xyz<< text", ">>de", "a >>fra<< b", "en_XX ko_KR summary", "ro_RO", "<mask_1> says <mask_2> <unk_7>", "<unk_102><unk_103>",
    "e\u0301 é \u200b x\u200by", "Ștefan größer", "x" * 60, "▁ ▁▁ a▁b", "<s> start", "\u3000wide\u00a0space", "1,000,000.5", "같이 산책하러 갈까요?" * 3,
]


def train_spm(path: pathlib.Path, size: int, **options) -> None:
    with tempfile.TemporaryDirectory() as folder:
        corpus = pathlib.Path(folder) / "corpus.txt"
        corpus.write_text("\n".join(CORPUS))
        # nmt_nfkc's table alone is 240 kB; these rules show the same things.
        rules = pathlib.Path(folder) / "rules.tsv"
        rules.write_text("A\t20\n9\t20\nA0\t20\n3000\t20\n200B\t\nFF21\t41\nFF22\t42\nFF23\t43\nFB01\t66 69\nBD\t31 2044 32\n65 301\tE9\n")
        sentencepiece.SentencePieceTrainer.train(
            input=str(corpus), model_prefix=f"{folder}/m", vocab_size=size, minloglevel=2,
            normalization_rule_tsv=str(rules), character_coverage=1.0, **options)
        path.write_bytes((pathlib.Path(folder) / "m.model").read_bytes())


def write_json(path: pathlib.Path, value) -> None:
    path.write_text(json.dumps(value, ensure_ascii=False, indent=1) + "\n")


def bart(folder: pathlib.Path) -> list[dict]:
    trainer = ByteLevelBPETokenizer()
    trainer.train_from_iterator(
        CORPUS, vocab_size=400, show_progress=False, special_tokens=["<s>", "<pad>", "</s>", "<unk>", "<mask>"])
    trainer.save_model(str(folder))
    write_json(folder / "special_tokens_map.json", {
        "bos_token": "<s>", "eos_token": "</s>", "unk_token": "<unk>", "sep_token": "</s>", "pad_token": "<pad>", "cls_token": "<s>",
        "mask_token": {"content": "<mask>", "single_word": False, "lstrip": True, "rstrip": False, "normalized": False}})
    write_json(folder / "tokenizer_config.json", {"tokenizer_class": "BartTokenizer", "model_max_length": 1024})
    tokenizer = BartTokenizer.from_pretrained(str(folder))
    return [of_transformers(tokenizer, text) for text in TEXTS]


def of_transformers(tokenizer, text: str) -> dict:
    ids = tokenizer(text)["input_ids"]
    return {"ids": ids, "text": tokenizer.decode(ids, skip_special_tokens=True),
            "special": tokenizer.decode(ids, skip_special_tokens=False)}


def marian(folder: pathlib.Path) -> list[dict]:
    train_spm(folder / "source.spm", 150, model_type="unigram")
    train_spm(folder / "target.spm", 200, model_type="bpe")
    pieces = []
    for name in ("source.spm", "target.spm"):
        model = sentencepiece.SentencePieceProcessor(model_file=str(folder / name))
        pieces += [model.id_to_piece(i) for i in range(model.get_piece_size())]
    tokens = ["</s>", "<unk>", ">>fra<<", ">>ron<<"] + sorted(set(pieces) - {"<s>", "</s>", "<unk>"}) + ["<pad>"]
    write_json(folder / "vocab.json", {token: i for i, token in enumerate(tokens)})
    write_json(folder / "tokenizer_config.json", {"tokenizer_class": "MarianTokenizer", "source_lang": "eng", "target_lang": "fra"})
    tokenizer = MarianTokenizer.from_pretrained(str(folder))
    return [of_transformers(tokenizer, text) for text in TEXTS]


class Slow:
    """What PreTrainedTokenizer did around a SentencePiece model."""

    def __init__(self, spm, ids: dict[str, int], unknown: int, special: list[str], prefix: list[int], suffix: list[int], lstrip=()):
        self.spm, self.ids, self.unknown, self.special = spm, ids, unknown, special
        self.prefix, self.suffix, self.lstrip = prefix, suffix, lstrip
        self.tokens = {}
        for token, i in ids.items():
            self.tokens.setdefault(i, token)

    def encode(self, text: str) -> list[int]:
        pattern = "|".join(re.escape(token) for token in sorted(self.special, key=len, reverse=True))
        parts = re.split(f"({pattern})", text)
        ids = []
        for i, part in enumerate(parts):
            if part in self.special:
                ids.append(self.ids[part])
            elif part:
                if i + 1 < len(parts) and parts[i + 1] in self.lstrip:
                    part = part.rstrip()
                ids += [self.ids.get(piece, self.unknown) for piece in self.spm.encode(part, out_type=str)]
        return self.prefix + ids + self.suffix

    def decode(self, ids: list[int], skip: bool, style: str) -> str:
        tokens = [self.tokens[i] for i in ids]
        if skip:
            tokens = [token for token in tokens if token not in self.special]
        if style == "joined":
            return "".join(tokens).replace("▁", " ").strip()
        out, run, after_special = "", [], False
        for token in tokens:
            if token in self.special:
                if style == "space_before" and not after_special:
                    out += " "
                out += self.spm.decode_pieces(run) + token
                run, after_special = [], True
            else:
                run.append(token)
                after_special = False
        return (out + self.spm.decode_pieces(run)).strip()

    def case(self, text: str, style: str) -> dict:
        ids = self.encode(text)
        return {"ids": ids, "text": self.decode(ids, True, style), "special": self.decode(ids, False, style)}


def mbart(folder: pathlib.Path, fifty: bool) -> list[dict]:
    from transformers.models.mbart.tokenization_mbart import FAIRSEQ_LANGUAGE_CODES as LANGUAGES_25
    from transformers.models.mbart50.tokenization_mbart50 import FAIRSEQ_LANGUAGE_CODES as LANGUAGES_52
    languages = LANGUAGES_52 if fifty else LANGUAGES_25
    train_spm(folder / "sentencepiece.bpe.model", 150, model_type="unigram")
    write_json(folder / "tokenizer_config.json", {
        "tokenizer_class": "MBart50Tokenizer" if fifty else "MBartTokenizer", "src_lang": "ko_KR", "tgt_lang": "ro_RO"})
    spm = sentencepiece.SentencePieceProcessor(model_file=str(folder / "sentencepiece.bpe.model"))
    size = spm.get_piece_size()
    ids = {"<s>": 0, "<pad>": 1, "</s>": 2, "<unk>": 3}
    ids |= {code: size + 1 + i for i, code in enumerate(languages)}
    ids["<mask>"] = size + 1 + len(languages)
    for i in range(3, size):
        ids.setdefault(spm.id_to_piece(i), i + 1)
    special = ["<s>", "<pad>", "</s>", "<unk>", "<mask>", *languages]
    language = [ids["ko_KR"]]
    prefix, suffix = (language, [2]) if fifty else ([], [2, *language])
    slow = Slow(spm, ids, 3, special, prefix, suffix, lstrip=["<mask>"])
    return [slow.case(text, "space_before" if fifty else "joined") for text in TEXTS]


def pegasus(folder: pathlib.Path) -> list[dict]:
    train_spm(folder / "spiece.model", 150, model_type="unigram", pad_id=0, eos_id=1, unk_id=2, bos_id=-1)
    write_json(folder / "tokenizer_config.json", {"tokenizer_class": "PegasusTokenizer", "model_max_length": 512})
    spm = sentencepiece.SentencePieceProcessor(model_file=str(folder / "spiece.model"))
    reserved = ["<mask_1>"] + [f"<unk_{i}>" for i in range(2, 103)]
    ids = {"<pad>": 0, "</s>": 1, "<mask_1>": 2, "<mask_2>": 3}
    ids |= {token: i + 3 for i, token in enumerate(reserved) if i}
    for i in range(2, spm.get_piece_size()):
        ids.setdefault(spm.id_to_piece(i), i + 103)
    slow = Slow(spm, ids, ids["<unk>"], ["<pad>", "</s>", "<unk>", "<mask_2>", *reserved], [], [1])
    return [slow.case(text, "plain") for text in TEXTS]


def main() -> None:
    golden = {"texts": TEXTS, "folders": {}}
    for name, family, make in (
            ("bart", "bart", bart), ("marian", "marian", marian), ("mbart", "mbart", lambda f: mbart(f, False)),
            ("mbart50", "mbart", lambda f: mbart(f, True)), ("pegasus", "pegasus", pegasus)):
        folder = OUT / name
        folder.mkdir(parents=True, exist_ok=True)
        golden["folders"][name] = {"family": family, "cases": make(folder)}
        print(name, {path.name: path.stat().st_size for path in sorted(folder.iterdir())})
    (OUT.parent / "folders.json").write_text(
        json.dumps(golden, ensure_ascii=False, separators=(",", ":")) + "\n")


if __name__ == "__main__":
    main()
