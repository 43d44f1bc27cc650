import PMCommands
import PMModel

/// A prefixer with what it has shown so far.
struct PrefixerFixture {
    var prefixer: Prefixer
    var output: [UInt8] = []
    private var sources: [String: Prefixer.SourceID] = [:]

    init(_ options: PrefixerOptions = PrefixerOptions()) {
        prefixer = Prefixer(options)
    }

    init(columns: Int, rows: Int = 24, hasColour: Bool = false) {
        self.init(PrefixerOptions(surface: .terminal(columns: columns, rows: rows), hasColour: hasColour))
    }

    /// All that was shown.
    var text: String { String(decoding: output, as: UTF8.self) }

    /// What a terminal shows after all that was written, trailing blank rows left out.
    var screen: [String] {
        var terminal = TestTerminal()
        terminal.write(output)
        return terminal.lines
    }

    mutating func feed(_ text: String, from name: String = "web", atMilliseconds time: Int64 = 0) {
        feed(Array(text.utf8), from: name, atMilliseconds: time)
    }

    mutating func feed(_ bytes: [UInt8], from name: String = "web", atMilliseconds time: Int64 = 0) {
        let source = source(name)
        prefixer.feed(bytes, from: source, at: WallTime(nanoseconds: time * 1_000_000), into: &output)
    }

    mutating func showHeld(atMilliseconds time: Int64 = 0) {
        prefixer.showHeld(at: WallTime(nanoseconds: time * 1_000_000), into: &output)
    }

    mutating func end(_ name: String = "web") {
        let source = source(name)
        prefixer.end(source, into: &output)
    }

    private mutating func source(_ name: String) -> Prefixer.SourceID {
        if let known = sources[name] { return known }
        let made = prefixer.addSource(name)
        sources[name] = made
        return made
    }
}

/// As much of a terminal as a prefixer uses: text, newline (with carriage return, as a tty adds it), carriage return,
/// cursor up, erase below; looks are left out.
struct TestTerminal {
    private var cells: [[Character]] = [[]]
    private var row = 0
    private var column = 0

    var lines: [String] {
        var lines = cells.map { String($0) }
        while lines.last?.isEmpty == true { lines.removeLast() }
        return lines
    }

    mutating func write(_ bytes: [UInt8]) {
        var rest = Array(String(decoding: bytes, as: UTF8.self).unicodeScalars)[...]
        while let scalar = rest.popFirst() {
            switch scalar {
            case "\n":
                (row, column) = (row + 1, 0)
                if row == cells.count { cells.append([]) }
            case "\r": column = 0
            case "\u{1B}": control(&rest)
            default: put(Character(scalar))
            }
        }
    }

    private mutating func control(_ rest: inout ArraySlice<Unicode.Scalar>) {
        precondition(rest.popFirst() == "[")
        var number = 0
        while let scalar = rest.popFirst() {
            if let digit = scalar.properties.numericType.flatMap({ _ in Int(String(scalar)) }) {
                number = number * 10 + digit
            } else if scalar == "A" {
                row = max(0, row - max(1, number))
                return
            } else if scalar == "J" {
                cells[row].removeLast(max(0, cells[row].count - column))
                cells.removeLast(cells.count - row - 1)
                return
            } else if scalar == "m" {
                return
            }
        }
    }

    private mutating func put(_ character: Character) {
        while cells[row].count <= column { cells[row].append(" ") }
        cells[row][column] = character
        column += 1
    }
}
