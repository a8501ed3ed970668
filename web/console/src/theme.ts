import { createTheme, Drawer, Modal } from "@mantine/core";

/**
 * Only what styles.css knows by itself: the pages' policy allows no style elements, so Mantine
 * writes no variables of its own (`withCssVariables={false}`); frame.css names the colours.
 */
export const theme = createTheme({
  primaryColor: "violet",
  defaultRadius: "md",
  respectReducedMotion: true,
  components: {
    // What locks the page's scrolling writes a style element; frame.css does it by :has().
    Modal: Modal.extend({ defaultProps: { lockScroll: false } }),
    Drawer: Drawer.extend({ defaultProps: { lockScroll: false } }),
  },
});
