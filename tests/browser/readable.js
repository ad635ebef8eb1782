// Returns every text that is smaller than 11 px or has less contrast than 4.5 to the ground it is on.
(() => {
  const channel = (value) => (value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4);
  const numbers = (colour) => colour.match(/[\d.]+/g).map(Number);
  const luminance = (colour) => {
    const [red, green, blue] = numbers(colour).map((value) => channel(value / 255));
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
  };
  const contrast = (one, other) => {
    const [dark, light] = [luminance(one), luminance(other)].sort((a, b) => a - b);
    return (light + 0.05) / (dark + 0.05);
  };
  const ground = (element) => {
    for (let parent = element; parent; parent = parent.parentElement) {
      const colour = getComputedStyle(parent).backgroundColor;
      if (numbers(colour)[3] !== 0) return colour;
    }
    return "rgb(255, 255, 255)";
  };
  const found = [];
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (texts.nextNode()) {
    const text = texts.currentNode.textContent.trim();
    const element = texts.currentNode.parentElement;
    if (!text || !element.getClientRects().length || element.closest("style, thead")) continue;
    const style = getComputedStyle(element);
    const drawing = element.closest("svg");
    const scale = drawing ? drawing.clientWidth / drawing.viewBox.baseVal.width : 1;
    const size = parseFloat(style.fontSize) * scale;
    const ratio = contrast(drawing ? style.fill : style.color, ground(element));
    if (size < 10.9 || ratio < 4.5) found.push(`${text}: ${size} px, contrast ${ratio}`);
  }
  return found;
})();
