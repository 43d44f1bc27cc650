/// Finds the fault in the last output of a program: what Node, TypeScript, Python, shells, Go and Rust print when a
/// program ends by its own error.
struct FaultSearch {
    /// A fault, and where it is in the lines.
    struct Found: Equatable {
        let fault: Fault
        /// The first line that belongs to it.
        let first: Int
        /// The line with its message.
        let message: Int
        /// The first of the lines before the message that show the inside of Node; nil: none do.
        var inside: Int?
    }

    /// The lines, without empty ones and without frames of Node.
    let lines: [String]

    /// The fault; what a compiler reports goes before the exception that its report ends with.
    func find() -> Found? {
        compiler() ?? python() ?? javascript() ?? shell() ?? panic()
    }

    // MARK: TypeScript

    /// `src/a.ts:3:5 - error TS2322: …` and `src/a.ts(3,5): error TS2322: …` of tsc and ts-node, `/x/a.ts:2:6: ERROR: …` of esbuild and
    /// tsx.
    private func compiler() -> Found? {
        for (index, line) in lines.enumerated() {
            for (mark, keeps) in [(" - error TS", true), (": error TS", true), (": ERROR: ", false)] {
                guard let range = line.firstRange(of: mark), let place = Self.place(line[..<range.lowerBound]) else {
                    continue
                }
                let text = line[range.upperBound...]
                let message = keeps ? "error TS\(text)" : "error: \(text)"
                return Found(fault: Fault(message, at: place, excerpt: []), first: index, message: index)
            }
        }
        return nil
    }

    // MARK: Python

    private func python() -> Found? {
        let frames = lines.indices.filter { Self.frameOfPython(lines[$0]) != nil }
        guard let last = frames.last, let message = lines[last...].firstIndex(where: Self.isFlush),
            let place = Self.frameOfPython(lines[last])
        else { return nil }
        let start = lines[...last].lastIndex { $0.hasPrefix("Traceback (") }
        let excerpt = lines[(last + 1)..<message].filter { !$0.hasPrefix("Traceback") }
        return Found(
            fault: Fault(lines[message], at: place, excerpt: Array(excerpt.suffix(2))),
            first: start ?? last, message: message)
    }

    /// `  File "/srv/a.py", line 3, in f`.
    private static func frameOfPython(_ line: String) -> Fault.Location? {
        let text = line.drop { $0 == " " }
        guard text.hasPrefix("File \""), line.hasPrefix("  "), let end = text.firstRange(of: "\", line ") else {
            return nil
        }
        let digits = text[end.upperBound...].prefix { $0.isASCII && $0.isNumber }
        return Int(digits).map { Fault.Location(String(text[..<end.lowerBound].dropFirst(6)), $0) }
    }

    private static func isFlush(_ line: String) -> Bool { !line.hasPrefix(" ") && !line.hasPrefix("\t") }

    // MARK: JavaScript

    private func javascript() -> Found? {
        guard let message = lines.lastIndex(where: { Self.isError($0) && Self.isFlush($0) }) else { return nil }
        let source = sourceLines(before: message)
        let frame = lines[(message + 1)...].prefix(40).lazy.compactMap(Self.frameOfJavaScript).first { !$0.isOfPackage }
        guard let source else {
            // A line of a log may begin like an error: without a frame it is none that ended the program.
            guard frame != nil || message + 3 >= lines.count else { return nil }
            return Found(fault: Fault(lines[message], at: frame?.place), first: message, message: message)
        }
        let shown = Array(lines[(source.index + 1)..<message])
        if source.place.file.hasPrefix("node:") {
            let fault = Fault(lines[message], at: frame?.place)
            return Found(fault: fault, first: source.index, message: message, inside: source.index)
        }
        let column = shown.last.flatMap(Self.caret)
        let place = Fault.Location(source.place.file, source.place.line, column)
        return Found(
            fault: Fault(lines[message], at: place, excerpt: shown), first: source.index, message: message)
    }

    /// The line `FILE:LINE` before a message, with at most three lines of source and carets between.
    private func sourceLines(before message: Int) -> (index: Int, place: Fault.Location)? {
        for index in lines[..<message].indices.suffix(4).reversed() where Self.isFlush(lines[index]) {
            if let place = Self.place(lines[index][...]), place.column == nil {
                return (index, Fault.Location(Self.path(place.file), place.line))
            }
        }
        return nil
    }

    /// `TypeError: …`, `Error [ERR_X]: …`, `Uncaught RangeError`, `[UnhandledPromiseRejection: …`.
    private static func isError(_ line: String) -> Bool {
        var text = line[...]
        if text.hasPrefix("[UnhandledPromiseRejection") { return true }
        if text.hasPrefix("Uncaught ") { text = text.dropFirst(9) }
        let name = text.prefix { $0.isLetter || $0.isNumber || $0 == "_" || $0 == "$" }
        guard name.first?.isUppercase ?? false, name.hasSuffix("Error") || name.hasSuffix("Exception") else {
            return false
        }
        let rest = text[name.endIndex...]
        return rest.isEmpty || rest.hasPrefix(":") || rest.hasPrefix(" [")
    }

    private struct Frame {
        let place: Fault.Location
        var isOfPackage: Bool { place.file.contains("/node_modules/") }
    }

    /// `    at f (file:///srv/a.mjs:3:7)`, `    at /srv/a.js:3:7`.
    private static func frameOfJavaScript(_ line: String) -> Frame? {
        var text = line.drop { $0 == " " }
        guard text.hasPrefix("at ") else { return nil }
        text = text.dropFirst(3)
        if text.hasPrefix("async ") { text = text.dropFirst(6) }
        if let open = text.lastIndex(of: "("), let close = text.lastIndex(of: ")"), open < close {
            text = text[text.index(after: open)..<close]
        }
        guard let place = place(text), place.column != nil, place.file.contains("/") else { return nil }
        return Frame(place: Fault.Location(path(place.file), place.line, place.column))
    }

    /// The column of a line of carets, from 1.
    private static func caret(_ line: String) -> Int? {
        guard line.contains("^"), line.allSatisfy({ $0 == "^" || $0 == " " || $0 == "\t" || $0 == "~" }) else {
            return nil
        }
        return line.prefix { $0 != "^" }.count + 1
    }

    // MARK: shells, Go, Rust

    private static let refusals = [
        "not found", "command not found", "Permission denied", "No such file or directory",
        "cannot execute: required file not found",
        "Exec format error",
    ]

    /// `/srv/a.sh: 3: foo: not found` (dash), `a.sh: line 3: foo: command not found` (bash), `sh: foo: not found`.
    private func shell() -> Found? {
        guard
            let index = lines.lastIndex(where: { line in
                Self.refusals.contains { line.hasSuffix(": \($0)") } && Self.isFlush(line)
            })
        else { return nil }
        let parts = lines[index].split(separator: ": ").map(String.init)
        guard parts.count >= 3, parts[0].hasSuffix("sh") || parts.count >= 4 else { return nil }
        let number = parts[1].hasPrefix("line ") ? String(parts[1].dropFirst(5)) : parts[1]
        let isScript = parts[0].contains("/") && !["/bin/sh", "/bin/bash", "/usr/bin/bash"].contains(parts[0])
        guard let line = Int(number) else {
            return Found(fault: Fault(lines[index]), first: index, message: index)
        }
        let message = parts[2...].joined(separator: ": ")
        return Found(
            fault: Fault(message, at: isScript ? Fault.Location(parts[0], line) : nil), first: index, message: index)
    }

    /// `panic: …` with `\t/srv/main.go:5 +0x1d` below; `thread 'main' panicked at src/main.rs:2:5:` with the message below.
    private func panic() -> Found? {
        guard let index = lines.lastIndex(where: { $0.hasPrefix("panic: ") || $0.contains("' panicked at ") }) else {
            return nil
        }
        let line = lines[index]
        if line.hasPrefix("panic: ") {
            let frame = lines[index...].lazy.filter { $0.hasPrefix("\t") }
                .compactMap { Self.place($0.dropFirst().prefix { $0 != " " }) }.first
            return Found(fault: Fault(line, at: frame), first: index, message: index)
        }
        guard let mark = line.firstRange(of: "' panicked at ") else { return nil }
        let rest = line[mark.upperBound...]
        let place = Self.place(rest.hasSuffix(":") ? rest.dropLast() : rest)
        let message = index + 1 < lines.count ? "panicked: \(lines[index + 1])" : line
        return Found(fault: Fault(message, at: place), first: index, message: index)
    }

    // MARK: places

    /// Reads `FILE:LINE`, `FILE:LINE:COLUMN` and `FILE(LINE,COLUMN)`.
    private static func place(_ text: Substring) -> Fault.Location? {
        if text.hasSuffix(")"), let open = text.lastIndex(of: "(") {
            let numbers = text[text.index(after: open)...].dropLast().split(separator: ",").map { Int($0) }
            guard numbers.count == 2, let line = numbers[0], open != text.startIndex else { return nil }
            return Fault.Location(String(text[..<open]), line, numbers[1])
        }
        var numbers: [Int] = []
        var rest = text
        while numbers.count < 2, let colon = rest.lastIndex(of: ":"),
            let number = Int(rest[rest.index(after: colon)...])
        {
            numbers.insert(number, at: 0)
            rest = rest[..<colon]
        }
        guard let line = numbers.first, !rest.isEmpty, line > 0 else { return nil }
        return Fault.Location(String(rest), line, numbers.count > 1 ? numbers[1] : nil)
    }

    /// The path of a `file:` URL; any other text as it is.
    private static func path(_ text: String) -> String { Paths.path(ofFileURL: text) ?? text }
}
