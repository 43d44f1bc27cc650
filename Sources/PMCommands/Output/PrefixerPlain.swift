/// Tells lines that can pass as they are from those that need a screen, so that ordinary output stays fast.
enum PrefixerPlain {
    /// Parts of a line.
    enum Kind: Equatable {
        /// Text and tabs.
        case text
        /// Text and whole SGR sequences; the parameters of the sequences, in order.
        case styled([[UInt8]])
        /// Control characters and everything else that a plain view leaves out.
        case other
    }

    static func kind(of line: ArraySlice<UInt8>) -> Kind {
        var looks: [[UInt8]] = []
        var place = line.startIndex
        while place < line.endIndex {
            let byte = line[place]
            if byte == 0x1B {
                guard let end = endOfLook(line, place) else { return .other }
                let look = Array(line[(place + 2)..<end])
                guard ShownLook.parameters(look) == look else { return .other }
                looks.append(look)
                place = end + 1
            } else if byte > 0xC2 {
                guard let size = sizeOfShown(line[place...]) else { return .other }
                place += size
            } else if byte >= 0x20 && byte != 0x7F && byte != 0xC2 || byte == 9 {
                place += 1
            } else {
                // 0xC2 may begin a control of the upper range (C1).
                return .other
            }
        }
        return looks.isEmpty ? .text : .styled(looks)
    }

    /// The bytes of the character that the text begins with; nil for one that hides or turns the text around. A byte that is no
    /// UTF-8 is one by itself.
    private static func sizeOfShown(_ text: ArraySlice<UInt8>) -> Int? {
        var decoder = UTF8()
        var bytes = text.prefix(4).makeIterator()
        switch decoder.decode(&bytes) {
        case .scalarValue(let scalar): return scalar.isHidden ? nil : UTF8.width(scalar)
        case .emptyInput, .error: return 1
        }
    }

    /// The line without its SGR sequences.
    static func withoutLooks(_ line: ArraySlice<UInt8>) -> [UInt8] {
        var text: [UInt8] = []
        var place = line.startIndex
        while place < line.endIndex {
            if line[place] == 0x1B, let end = endOfLook(line, place) {
                place = end + 1
            } else {
                text.append(line[place])
                place += 1
            }
        }
        return text
    }

    private static func endOfLook(_ line: ArraySlice<UInt8>, _ start: Int) -> Int? {
        guard start + 1 < line.endIndex, line[start + 1] == UInt8(ascii: "[") else { return nil }
        var place = start + 2
        while place < line.endIndex, (0x30...0x3B).contains(line[place]) { place += 1 }
        return place < line.endIndex && line[place] == UInt8(ascii: "m") ? place : nil
    }
}
