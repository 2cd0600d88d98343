// Summarises text from standard input, a document a line: summarize ENGINE.kobolt < documents.txt

#include <kobolt/error.h>
#include <kobolt/summarizer.h>

#include <iostream>
#include <string>
#include <vector>

int main(int argc, char** argv) {
  if (argc != 2) {
    std::cerr << "usage: summarize ENGINE_OR_CHECKPOINT < documents.txt\n";
    return 2;
  }
  try {
    kobolt::Summarizer summarizer(argv[1]);
    std::vector<std::string> documents;
    for (std::string line; std::getline(std::cin, line);) documents.push_back(line);

    kobolt::SummarizeOptions options{.generation = summarizer.generation()};
    options.generation.num_beams = 4;
    for (const kobolt::Summary& summary : summarizer.summarize(documents, options)) {
      std::cout << summary.text << '\n';
    }
  } catch (const kobolt::Error& error) {
    std::cerr << error.what() << '\n';
    return 1;
  }
  return 0;
}
