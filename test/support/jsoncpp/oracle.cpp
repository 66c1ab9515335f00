// Writes JSON as JsonCpp does: one document from standard input to standard output.
//
//   oracle styled    StyledWriter: the classic style itself. It escapes all that isn't ASCII.
//   oracle stream    The newer StreamWriter with raw UTF-8 and no comments. Its layout is the classic one, but for
//                    the bracket that it puts on a line of its own after a key: that line break is taken out here.
//
// Google's writer also escapes < and >. JsonCpp can't, so in values both are replaced, before it lays the text out,
// by something of the same length that it leaves alone ("@u003c"), and that by the escape afterwards. Documents
// must therefore not contain "@u003".
#include <iostream>
#include <iterator>
#include <memory>
#include <string>

#include <json/json.h>

static void replace_all(std::string &text, const std::string &from, const std::string &to) {
  for (size_t at = text.find(from); at != std::string::npos; at = text.find(from, at + to.size()))
    text.replace(at, from.size(), to);
}

static void mark_angles(Json::Value &value) {
  if (value.isString()) {
    std::string text = value.asString();
    replace_all(text, "<", "@u003c");
    replace_all(text, ">", "@u003e");
    value = Json::Value(text.data(), text.data() + text.size());
  } else if (value.isArray() || value.isObject()) {
    for (Json::Value &member : value) mark_angles(member);
  }
}

static void join_brackets(std::string &text) {
  const std::string after_key = " : \n"; // Text has no raw newline, so this can't stand within a string.
  for (size_t at = text.find(after_key); at != std::string::npos; at = text.find(after_key, at)) {
    size_t newline = at + after_key.size() - 1;
    text.erase(newline, text.find_first_not_of(" \n", newline) - newline);
  }
}

static std::string write_stream(const Json::Value &value) {
  Json::StreamWriterBuilder builder;
  builder["indentation"] = "   ";
  builder["commentStyle"] = "None";
  builder["emitUTF8"] = true;
  builder["precision"] = 15; // Enough for coordinates, and short: 17 digits would show the binary fraction.
  return Json::writeString(builder, value) + "\n";
}

int main(int argc, char **argv) {
  const std::string mode = argc > 1 ? argv[1] : "";
  const std::string input(std::istreambuf_iterator<char>(std::cin), {});
  Json::Value value;
  std::string errors;
  const std::unique_ptr<Json::CharReader> reader(Json::CharReaderBuilder().newCharReader());
  if (!reader->parse(input.data(), input.data() + input.size(), &value, &errors)) {
    std::cerr << errors;
    return 1;
  }
  mark_angles(value);
  std::string output = mode == "styled" ? Json::StyledWriter().write(value) : write_stream(value);
  if (mode != "styled") join_brackets(output);
  replace_all(output, "@u003", "\\u003");
  replace_all(output, "<", "\\u003c"); // Those that are left stand in keys.
  replace_all(output, ">", "\\u003e");
  std::cout << output;
}
