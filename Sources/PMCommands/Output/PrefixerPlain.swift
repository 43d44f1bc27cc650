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
                looks.append(Array(line[(place + 2)..<end]))
                place = end + 1
            } else if byte >= 0x20 && byte != 0x7F && byte != 0xC2 || byte == 9 {
                place += 1
            } else {
                // 0xC2 may begin a control of the upper range (C1).
                return .other
            }
        }
        return looks.isEmpty ? .text : .styled(looks)
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
