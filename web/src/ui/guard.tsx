/** What is shown instead of a view that fails: a sentence, not a blank screen. */
import { Component, type ComponentChildren } from "preact";

interface Props {
  /** Where the reader is: another place gets another try. */
  at: string;
  children: ComponentChildren;
}

export class Guard extends Component<Props, { failed: string; at: string }> {
  override state = { failed: "", at: "" };

  override componentDidCatch(error: unknown): void {
    const failed = error instanceof Error ? error.message : String(error);
    this.setState({ failed, at: this.props.at });
  }

  render({ at, children }: Props) {
    if (this.state.failed === "" || this.state.at !== at) return children;
    return (
      <p class="warning" role="alert">
        This view cannot be shown: {this.state.failed}.
      </p>
    );
  }
}
