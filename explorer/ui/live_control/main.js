// Streamlit calls this at the first mount and after each rerun that changes the data or the theme.

const MOUNTED = new WeakMap();

export default function ({ data, parentElement, setStateValue }) {
  const root = parentElement.querySelector(".live");
  if (!root || !data) return undefined;
  if (!MOUNTED.has(root)) MOUNTED.set(root, new LiveControl(root));
  const control = MOUNTED.get(root);
  control.update(data, (state) => setStateValue("state", state));
  control.showPlaying();
  return () => {
    control.close();
    MOUNTED.delete(root);
  };
}
