import JSON

/// Form of messages in the bytes of a connection.
public enum MessageForm: Sendable {
    /// One message a line; a line that is none is answered with an error.
    case lines
    /// One message a line; the first line that is none ends the connection. For peers that anybody may have made send
    /// bytes: what comes behind a line of another protocol is never executed.
    case strictLines
    /// Node's IPC channel as the reference uses it: one JSON string a line, in which the message and its line end stand.
    case nodeIPC

    /// Writes messages that `fill` appends as lines.
    func wrap(_ fill: (inout [UInt8]) -> Void, _ output: inout [UInt8]) {
        switch self {
        case .lines, .strictLines: fill(&output)
        case .nodeIPC:
            var lines: [UInt8] = []
            fill(&lines)
            for line in lines.split(separator: UInt8(ascii: "\n")) {
                JSONValue.string(String(decoding: line, as: UTF8.self) + "\n").append(to: &output)
                output.append(UInt8(ascii: "\n"))
            }
        }
    }

    /// Finds the messages in a line of Node's IPC channel. What is no string of text is taken as it is, but for Node's
    /// own messages, which are none of ours.
    func unwrap(_ line: UnsafeRawBufferPointer, _ receive: (UnsafeRawBufferPointer) -> Void) {
        // A line that is no JSON is answered as such where messages are read.
        let value = try? JSONValue(parsing: line)
        if value?["cmd"]?.string?.hasPrefix("NODE_") == true { return }
        guard let text = value?.string else { return receive(line) }
        for message in Array(text.utf8).split(separator: UInt8(ascii: "\n")) { message.withUnsafeBytes(receive) }
    }
}
