/// Looks of text on a terminal; without colour text stays as it is.
struct Style: Equatable, Sendable {
    /// Colour or weight of a text.
    enum Look: Equatable, Sendable {
        case plain, dim, bold, red, green, yellow, cyan

        /// The SGR parameter of ECMA-48.
        fileprivate var code: String {
            switch self {
            case .plain: "0"
            case .dim: "2"
            case .bold: "1"
            case .red: "31"
            case .green: "32"
            case .yellow: "33"
            case .cyan: "36"
            }
        }
    }

    /// True when looks are written at all.
    let isOn: Bool

    /// The text with a look.
    func callAsFunction(_ look: Look, _ text: String) -> String {
        isOn && look != .plain && !text.isEmpty ? "\u{1B}[\(look.code)m\(text)\u{1B}[0m" : text
    }
}
