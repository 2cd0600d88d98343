"""Trains one small tokenizer of each kind on ../shared/data, for the parity tests.

Writes tests/data/tokenizer/trained/*.json. Training is not reproducible to the bit over versions
of the library, so the outcome is committed: the other golden scripts and the tests read it.

    python3 tests/golden/tokenizer_train.py

Needs: tokenizers 0.23.3, sentencepiece 0.2 (for one table of replacements).
"""

import base64
import json
import pathlib
import tempfile

import sentencepiece
from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers

HERE = pathlib.Path(__file__).resolve().parent
OUT = HERE.parent / "data" / "tokenizer" / "trained"
SHARED = HERE.parent.parent.parent / "shared"

SPECIAL = ["<s>", "</s>", "<unk>", "<pad>", "<mask>"]

# Lines of a SentencePiece rule table: code points to code points.
RULES = """\
D\t20
A\t20
9\t20
A0\t20
3000\t20
200B\t
FEFF\t
AD\t
FF21\t41
FF22\t42
FF23\t43
FF41\t61
FF42\t62
FF43\t63
2160\t49
2161\t49 49
FB01\t66 69
FB02\t66 6C
41 30A\tC5
65 301\tE9
1100 1161\tAC00
1100 1161 11A8\tAC01
2026\t2E 2E 2E
2122\t54 4D
BD\t31 2044 32
3131\t1100
D 20\t20
"""


def texts() -> list[str]:
    lines = []
    for file, step in (("train", 97), ("dialogue-train", 23)):
        for i, line in enumerate((SHARED / "data" / f"{file}.jsonl").open(encoding="utf-8")):
            if i % step == 0:
                example = json.loads(line)
                lines += [example["document"], example["summary"]]
    return lines


def charsmap() -> str:
    """A table of replacements in SentencePiece's compiled form, base64."""
    with tempfile.TemporaryDirectory() as folder:
        rules = pathlib.Path(folder) / "rules.tsv"
        rules.write_text(RULES)
        corpus = pathlib.Path(folder) / "corpus.txt"
        corpus.write_text("a b c d e\n" * 10)
        sentencepiece.SentencePieceTrainer.train(
            input=str(corpus), model_prefix=f"{folder}/m", vocab_size=12, model_type="char",
            normalization_rule_tsv=str(rules), minloglevel=2)
        model = sentencepiece.SentencePieceProcessor(model_file=f"{folder}/m.model").serialized_model_proto()
    # ModelProto.normalizer_spec (field 3) .precompiled_charsmap (field 2), read by hand: the
    # protobuf package is not needed for two fields.
    def fields(data: bytes):
        at = 0
        def varint():
            nonlocal at
            value = shift = 0
            while True:
                byte = data[at]
                at += 1
                value |= (byte & 0x7F) << shift
                shift += 7
                if byte < 0x80:
                    return value
        while at < len(data):
            key = varint()
            if key & 7 == 2:
                size = varint()
                yield key >> 3, data[at : at + size]
                at += size
            elif key & 7 == 0:
                varint()
            else:
                at += 4 if key & 7 == 5 else 8
    spec = next(value for field, value in fields(model) if field == 3)
    return base64.b64encode(next(value for field, value in fields(spec) if field == 2)).decode()


def template(cls: str | None, sep: str, ids: dict[str, int]) -> processors.PostProcessor:
    single = f"{cls} $A {sep}" if cls else f"$A {sep}"
    return processors.TemplateProcessing(
        single=single, pair=f"{single} $B:1 {sep}:1",
        special_tokens=[(token, ids[token]) for token in (cls, sep) if token])


def special_ids() -> dict[str, int]:
    return {token: i for i, token in enumerate(SPECIAL)}


def bpe_metaspace() -> tuple[Tokenizer, trainers.Trainer]:
    """KoBART's pipeline, with its habit of emoticons as added tokens."""
    tokenizer = Tokenizer(models.BPE(unk_token="<unk>"))
    tokenizer.normalizer = normalizers.Sequence([
        normalizers.NFKC(), normalizers.BertNormalizer(False, False, False, False)])
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    tokenizer.decoder = decoders.Metaspace()
    special = SPECIAL + [":)", ":-)", ": =", "O |", "ㅠㅠ", "😀", "^^"]
    return tokenizer, trainers.BpeTrainer(vocab_size=1500, special_tokens=special, limit_alphabet=700)


def bpe_byte_level() -> tuple[Tokenizer, trainers.Trainer]:
    """BART's pipeline."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.post_processor = processors.RobertaProcessing(("</s>", 1), ("<s>", 0), add_prefix_space=False)
    special = SPECIAL[:4] + [AddedToken("<mask>", lstrip=True, special=True, normalized=False)]
    return tokenizer, trainers.BpeTrainer(
        vocab_size=1400, special_tokens=special, initial_alphabet=pre_tokenizers.ByteLevel.alphabet())


def bpe_byte_fallback() -> tuple[Tokenizer, trainers.Trainer]:
    """Llama's pipeline: no pre-tokeniser, bytes for unknown characters."""
    tokenizer = Tokenizer(models.BPE(unk_token="<unk>", fuse_unk=True, byte_fallback=True))
    tokenizer.normalizer = normalizers.Sequence([normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")])
    tokenizer.pre_tokenizer = pre_tokenizers.Split("▁", "merged_with_next")
    tokenizer.decoder = decoders.Sequence([
        decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse(), decoders.Strip(" ", 1, 0)])
    tokenizer.post_processor = template("<s>", "</s>", special_ids())
    special = SPECIAL + [f"<0x{byte:02X}>" for byte in range(256)]
    return tokenizer, trainers.BpeTrainer(vocab_size=1400, special_tokens=special, limit_alphabet=300)


def bpe_suffix() -> tuple[Tokenizer, trainers.Trainer]:
    """The first BPE: words end in </w>, everything in lower case."""
    tokenizer = Tokenizer(models.BPE(unk_token="<unk>", end_of_word_suffix="</w>", fuse_unk=True))
    tokenizer.normalizer = normalizers.Sequence([normalizers.NFD(), normalizers.Lowercase(), normalizers.StripAccents(), normalizers.NFC()])
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.decoder = decoders.BPEDecoder()
    special = SPECIAL + [AddedToken("gnome", single_word=True), AddedToken("Debian", rstrip=True), AddedToken("데비안", lstrip=True, rstrip=True)]
    return tokenizer, trainers.BpeTrainer(
        vocab_size=1200, special_tokens=special, end_of_word_suffix="</w>", limit_alphabet=400)


def bpe_prefix() -> tuple[Tokenizer, trainers.Trainer]:
    """Continuing subwords have a prefix; no fusing of unknowns; digits and scripts apart."""
    tokenizer = Tokenizer(models.BPE(unk_token="<unk>", continuing_subword_prefix="##"))
    tokenizer.normalizer = normalizers.Sequence([normalizers.Nmt(), normalizers.NFKD(), normalizers.Strip()])
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([
        pre_tokenizers.WhitespaceSplit(), pre_tokenizers.UnicodeScripts(), pre_tokenizers.Digits(individual_digits=True),
        pre_tokenizers.Punctuation("merged_with_previous"), pre_tokenizers.CharDelimiterSplit("_")])
    tokenizer.decoder = decoders.WordPiece(prefix="##", cleanup=False)
    return tokenizer, trainers.BpeTrainer(
        vocab_size=1200, special_tokens=SPECIAL, continuing_subword_prefix="##", limit_alphabet=300)


def bpe_split() -> tuple[Tokenizer, trainers.Trainer]:
    """A regular expression cuts, then bytes; whole words are taken without merging."""
    tokenizer = Tokenizer(models.BPE(ignore_merges=True))
    tokenizer.normalizer = normalizers.NFC()
    pattern = (r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*"
               r"|\s*[\r\n]+|\s+(?!\S)|\s+")
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([
        pre_tokenizers.Split(Regex(pattern), "isolated"),
        pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)])
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.post_processor = processors.Sequence([
        processors.ByteLevel(trim_offsets=False), template("<s>", "</s>", special_ids())])
    return tokenizer, trainers.BpeTrainer(
        vocab_size=1400, special_tokens=SPECIAL, initial_alphabet=pre_tokenizers.ByteLevel.alphabet())


def unigram() -> tuple[Tokenizer, trainers.Trainer]:
    """mBART's and Pegasus' pipeline, with a small table of replacements."""
    tokenizer = Tokenizer(models.Unigram())
    data = json.loads(tokenizer.to_str())
    data["normalizer"] = {"type": "Sequence", "normalizers": [
        {"type": "Precompiled", "precompiled_charsmap": charsmap()},
        {"type": "Replace", "pattern": {"Regex": " {2,}"}, "content": " "}]}
    tokenizer = Tokenizer.from_str(json.dumps(data))
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([pre_tokenizers.WhitespaceSplit(), pre_tokenizers.Metaspace()])
    tokenizer.decoder = decoders.Metaspace()
    tokenizer.post_processor = template(None, "</s>", special_ids())
    special = SPECIAL[:4] + [AddedToken("<mask>", lstrip=True, special=True, normalized=False)]
    return tokenizer, trainers.UnigramTrainer(vocab_size=1200, special_tokens=special, unk_token="<unk>")


def unigram_byte_fallback() -> tuple[Tokenizer, trainers.Trainer]:
    """Metaspace on the first word only, added tokens in the middle of it all."""
    tokenizer = Tokenizer(models.Unigram())
    tokenizer.normalizer = normalizers.Replace(Regex(r"\s+"), " ")
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="first", split=False)
    tokenizer.decoder = decoders.Sequence([decoders.ByteFallback(), decoders.Metaspace(prepend_scheme="first", split=False)])
    special = SPECIAL + [f"<0x{byte:02X}>" for byte in range(256)]
    return tokenizer, trainers.UnigramTrainer(vocab_size=1200, special_tokens=special, unk_token="<unk>")


def wordpiece() -> tuple[Tokenizer, trainers.Trainer]:
    """BERT's pipeline."""
    tokenizer = Tokenizer(models.WordPiece(unk_token="[UNK]", max_input_chars_per_word=40))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.decoder = decoders.WordPiece()
    tokenizer.post_processor = processors.BertProcessing(("[SEP]", 3), ("[CLS]", 2))
    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    return tokenizer, trainers.WordPieceTrainer(vocab_size=1500, special_tokens=special, limit_alphabet=500)


def wordlevel() -> tuple[Tokenizer, trainers.Trainer]:
    tokenizer = Tokenizer(models.WordLevel(unk_token="<unk>"))
    tokenizer.normalizer = normalizers.NFKC()
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([pre_tokenizers.Whitespace(), pre_tokenizers.Digits()])
    return tokenizer, trainers.WordLevelTrainer(vocab_size=1200, special_tokens=SPECIAL)


def main() -> None:
    OUT.mkdir(parents=True, exist_ok=True)
    corpus = texts()
    for make in (bpe_metaspace, bpe_byte_level, bpe_byte_fallback, bpe_suffix, bpe_prefix, bpe_split,
                 unigram, unigram_byte_fallback, wordpiece, wordlevel):
        tokenizer, trainer = make()
        trainer.show_progress = False
        # Unigram keeps every character that it has seen: fewer texts make the file small.
        tokenizer.train_from_iterator(corpus[::8] if make is unigram_byte_fallback else corpus, trainer)
        if make is unigram_byte_fallback:
            tokenizer.model = byte_fallback(tokenizer)
        if make is bpe_metaspace:
            tokenizer.enable_truncation(2000, direction="left")
        path = OUT / f"{make.__name__}.json"
        tokenizer.save(str(path), pretty=False)
        print(path.name, path.stat().st_size, tokenizer.get_vocab_size())


def byte_fallback(tokenizer: Tokenizer) -> models.Unigram:
    model = json.loads(tokenizer.to_str())["model"]
    return models.Unigram([tuple(entry) for entry in model["vocab"]], model["unk_id"], True)


if __name__ == "__main__":
    main()
